"""Convolves with torch, again and again. Prints "ready" once it has, and ends when standard input closes."""
import sys
import threading

import torch


def convolve(images, kernels):
    return torch.nn.functional.conv2d(images, kernels)


def repeat():
    images, kernels = torch.rand(16, 3, 64, 64), torch.rand(32, 3, 5, 5)
    convolve(images, kernels)
    print("ready")
    sys.stdout.flush()
    while True:
        convolve(images, kernels)


threading.Thread(target=repeat, daemon=True).start()
sys.stdin.read()
