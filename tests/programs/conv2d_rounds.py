"""The work of conv2d.py for as long as wanted: loading, convolving in loops, convolving with one multiplication.

The account has what each of these used; runs and reports as rounds.py does. Computes with what conv2d.py finds: torch,
numpy or plain Python. Needs Python 3.7.
"""
import tempfile

import conv2d
import rounds

IMAGES = 40
account = rounds.Account("loading", "convolving_in_loops", "multiplying")


def loading(work):
    work.images = conv2d.load_batch(work.dataset, 1, IMAGES)


def convolving_in_loops(work):
    conv2d.conv2d_forward(work.images[:1], work.kernels)


def multiplying(work):
    conv2d.conv2d_im2col(work.images, work.kernels)


class Work:
    def __init__(self, folder):
        conv2d.write_dataset(folder, IMAGES)
        self.dataset = conv2d.open_dataset(folder)
        self.kernels = conv2d.make_kernels()
        self.images = []

    def one_round(self):
        account.call(loading, self)
        account.call(convolving_in_loops, self)
        account.call(multiplying, self)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as root:
        rounds.run(Work(root).one_round, account)
