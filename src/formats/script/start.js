// SPDX-License-Identifier: MIT
/* The picture that this script stands in. */

startGraph(document.currentScript.parentNode);
