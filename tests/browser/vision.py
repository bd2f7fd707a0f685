# SPDX-License-Identifier: MIT
"""How different colours look, also to people without one kind of cones, and how well text can be read on them.

The matrices are those of Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
Deficiency" (2009), for severity 1; distances are in OKLab (Ottosson 2020), times 100; contrast is that of WCAG 2.
"""
import math

VISIONS = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red cones": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green cones": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no blue cones": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(colour):
    """(red, green, blue) from 0 to 255, as light."""
    return [byte / 255 / 12.92 if byte <= 10 else ((byte / 255 + 0.055) / 1.055) ** 2.4 for byte in colour]


def times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector)) for row in matrix]


def oklab(light):
    cones = times(((0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
                   (0.0883024619, 0.2817188376, 0.6299787005)), [max(part, 0) for part in light])
    return times(((0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099),
                  (0.0259040371, 0.7827717662, -0.8086757660)), [cone ** (1 / 3) for cone in cones])


def distance(a, b, vision):
    return 100 * math.dist(*(oklab(times(VISIONS[vision], linear(colour))) for colour in (a, b)))


def contrast(a, b):
    darker, lighter = sorted(sum(times(((0.2126, 0.7152, 0.0722),), linear(colour))) for colour in (a, b))
    return (lighter + 0.05) / (darker + 0.05)
