// SPDX-License-Identifier: MIT
/* The page that this script stands in: a time axis, and a flame graph of what is selected in it. */

const graph = document.currentScript.parentNode;
startTimeline(startGraph(graph, true), document.querySelector('.pyspyc-time'));
