/* SPDX-License-Identifier: MIT */
/*
 * The section .gnu_debugdata: an ELF file with nothing but symbols, compressed by xz (Fedora's "MiniDebuginfo", which
 * the gdb manual describes).
 */
#ifndef IMAGE_PACKED_IMAGE_H
#define IMAGE_PACKED_IMAGE_H

#include "base/buffer.h"

#include <libelf.h>

/* Unpacks it behind what the buffer holds. False when there is none, or one that is too large or broken. */
bool packed_image_read(Elf *elf, struct buffer *ret);

#endif
