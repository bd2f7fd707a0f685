"""A first convolution, written out in Python, on handwritten digits: where does the time go?

The program reads a batch of images through torchvision.datasets.MNIST and convolves it twice:

  * conv2d_forward looks at every window of every image in nested loops,
  * conv2d_im2col lays all windows out as the columns of one matrix, and multiplies once.

Both give the same numbers; a profiler shows what the difference costs:

    pyspyc record -o flame.svg -- python3 conv2d.py

Nothing is downloaded: the program draws its own digits and writes them in MNIST's file format. Without torch it
computes with numpy, and without numpy in plain Python. The last line is its own account of the time, in seconds.
"""
import json
import os
import random
import struct
import sys
import tempfile
import time
from contextlib import contextmanager

PROGRAM_STARTED = time.perf_counter()

try:
    import torch
    import torchvision
    import numpy
except ImportError:
    torch = None
    try:
        import numpy
    except ImportError:
        numpy = None

IMPORTED = time.perf_counter()

IMAGE_SIZE = 28          # rows and columns, as MNIST has them
CHANNELS_OUT = 6
KERNEL_SIZE = 3

#: What keeps each way of computing busy for a few seconds.
SIZES = {
    "torch": {"images": 3000, "epochs": 20, "batch": 128},
    "numpy": {"images": 3000, "epochs": 20, "batch": 128},
    "plain Python": {"images": 1000, "epochs": 60, "batch": 300},
}

seconds = {"import": IMPORTED - PROGRAM_STARTED}


@contextmanager
def phase(name):
    """Adds the time of its block to seconds[name]."""
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - started


# --- the data ----------------------------------------------------------------------------------------------------

def draw_digit(pen):
    """A thick random stroke: IMAGE_SIZE * IMAGE_SIZE grey values."""
    pixels = bytearray(IMAGE_SIZE * IMAGE_SIZE)
    row, column = pen.randrange(6, 22), pen.randrange(6, 22)
    for _ in range(40):
        row = min(max(row + pen.choice((-1, 0, 1)), 1), IMAGE_SIZE - 2)
        column = min(max(column + pen.choice((-1, 0, 1)), 1), IMAGE_SIZE - 2)
        pixels[row * IMAGE_SIZE + column] = 255
        pixels[row * IMAGE_SIZE + column + 1] = 128
    return bytes(pixels)


def write_idx(path, shape, values):
    """Writes unsigned bytes in MNIST's IDX format: magic number, the sizes of the dimensions, the values."""
    with open(path, "wb") as file:
        file.write(struct.pack(">BBBB", 0, 0, 0x08, len(shape)))
        file.write(struct.pack(">%dI" % len(shape), *shape))
        file.write(values)


def write_dataset(root, count):
    """Lays the four files out where torchvision looks for them: root/MNIST/raw."""
    raw = os.path.join(root, "MNIST", "raw")
    os.makedirs(raw)
    pen = random.Random(28)
    images = [draw_digit(pen) for _ in range(count)]
    labels = bytes(pen.randrange(10) for _ in range(count))
    for part in ("train", "t10k"):
        write_idx(os.path.join(raw, part + "-images-idx3-ubyte"), (count, IMAGE_SIZE, IMAGE_SIZE), b"".join(images))
        write_idx(os.path.join(raw, part + "-labels-idx1-ubyte"), (count,), labels)


class MNIST:
    """Stands in for torchvision's class of this name: the same files, the same way to ask for an image."""

    def __init__(self, root, transform):
        raw = os.path.join(root, "MNIST", "raw")
        self.images = self.read_idx(os.path.join(raw, "train-images-idx3-ubyte"), 16)
        self.labels = self.read_idx(os.path.join(raw, "train-labels-idx1-ubyte"), 8)
        self.transform = transform

    @staticmethod
    def read_idx(path, header_length):
        with open(path, "rb") as file:
            return file.read()[header_length:]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        length = IMAGE_SIZE * IMAGE_SIZE
        pixels = self.images[index * length:(index + 1) * length]
        return self.transform(pixels), self.labels[index]


def to_rows(pixels):
    """Plain Python's image: one channel, rows of numbers between 0 and 1."""
    rows = range(0, len(pixels), IMAGE_SIZE)
    return [[[value / 255 for value in pixels[start:start + IMAGE_SIZE]] for start in rows]]


def to_array(pixels):
    """numpy's image: the same numbers in an array, spread out to mean 0 and deviation 1."""
    image = numpy.frombuffer(pixels, numpy.uint8).reshape(1, IMAGE_SIZE, IMAGE_SIZE) / 255
    return (image - image.mean()) / (image.std() + 1e-6)


def open_dataset(root):
    if torch:
        transforms = torchvision.transforms
        transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.13,), (0.31,))])
        return torchvision.datasets.MNIST(root, train=True, transform=transform)
    return MNIST(root, to_array if numpy else to_rows)


def load_batch(dataset, epochs, count):
    """Goes through the whole data set, as a training would, and keeps the first `count` images."""
    kept = []
    for _ in range(epochs):
        for index in range(len(dataset)):
            image, _ = dataset[index]
            if len(kept) < count:
                kept.append(image)
    return kept


# --- the convolution in nested loops ------------------------------------------------------------------------------

def window_sum(window, kernel):
    """The sum of the products of two equal squares of tensors or arrays."""
    return float((window * kernel).sum())


def convolve_image(image, kernel):
    """Slides the kernel over one image, which is channel x row x column."""
    size = IMAGE_SIZE - KERNEL_SIZE + 1
    output = []
    for row in range(size):
        line = []
        for column in range(size):
            window = image[0][row:row + KERNEL_SIZE, column:column + KERNEL_SIZE]
            line.append(window_sum(window, kernel))
        output.append(line)
    return output


def convolve_rows(image, kernel):
    """The same for plain lists."""
    size = IMAGE_SIZE - KERNEL_SIZE + 1
    reach = range(KERNEL_SIZE)
    return [
        [
            sum(image[0][row + i][column + j] * kernel[i][j] for i in reach for j in reach)
            for column in range(size)
        ]
        for row in range(size)
    ]


def conv2d_forward(images, kernels):
    """Every kernel over every image: batch x output channel x row x column."""
    convolve = convolve_image if torch or numpy else convolve_rows
    return [[convolve(image, kernel) for kernel in kernels] for image in images]


# --- the convolution as one multiplication ------------------------------------------------------------------------

def im2col(image):
    """All windows of one image: a row for each place in the window, a column for each place in the image."""
    size = IMAGE_SIZE - KERNEL_SIZE + 1
    reach = range(KERNEL_SIZE)
    if torch or numpy:
        rows = [image[0][i:i + size, j:j + size].reshape(-1) for i in reach for j in reach]
        return (torch or numpy).stack(rows)
    return [[value for line in image[0][i:i + size] for value in line[j:j + size]] for i in reach for j in reach]


def multiply(left, right):
    """The product of two matrices."""
    if torch or numpy:
        return left @ right
    return [[sum(x * line[column] for x, line in zip(row, right)) for column in range(len(right[0]))] for row in left]


def conv2d_im2col(images, kernels):
    if torch or numpy:
        matrix = (torch or numpy).stack([kernel.reshape(-1) for kernel in kernels])
    else:
        matrix = [[value for row in kernel for value in row] for kernel in kernels]
    return [multiply(matrix, im2col(image)) for image in images]


# --- the program --------------------------------------------------------------------------------------------------

def make_kernels():
    numbers = random.Random(3)
    kernels = [
        [[numbers.uniform(-1, 1) for _ in range(KERNEL_SIZE)] for _ in range(KERNEL_SIZE)]
        for _ in range(CHANNELS_OUT)
    ]
    if torch:
        return list(torch.tensor(kernels))
    return list(numpy.array(kernels)) if numpy else kernels


def flat(values):
    """The numbers of nested lists, arrays or tensors, in order."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    if not isinstance(values, list):
        return [values]
    return [number for part in values for number in flat(part)]


def check_equal(left, right):
    worst = max(abs(a - b) for a, b in zip(flat(left), flat(right)))
    if worst > 1e-4:
        raise SystemExit("the two convolutions differ by %g" % worst)


def main():
    engine = "torch" if torch else "numpy" if numpy else "plain Python"
    if not torch:
        print("torch is missing: computing with " + engine, file=sys.stderr)
    size = SIZES[engine]
    with tempfile.TemporaryDirectory() as root:
        with phase("write_dataset"):
            write_dataset(root, size["images"])
        with phase("open_dataset"):
            dataset = open_dataset(root)
        with phase("MNIST.__getitem__"):
            loaded = load_batch(dataset, size["epochs"], size["batch"])
    kernels = make_kernels()
    with phase("conv2d_forward"):
        by_loops = conv2d_forward(loaded, kernels)
    with phase("conv2d_im2col"):
        by_matrix = conv2d_im2col(loaded, kernels)
    with phase("check_equal"):
        check_equal(by_loops[0], by_matrix[0])
    seconds["total"] = time.perf_counter() - PROGRAM_STARTED
    print(json.dumps({name: round(value, 4) for name, value in seconds.items()}))


if __name__ == "__main__":
    main()
