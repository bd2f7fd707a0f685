// SPDX-License-Identifier: MIT
/*
 * Reading the data that stand in <metadata> elements; picture_data.c says how they are written.
 *
 * A node is a number, its place in a depth-first walk of a tree; a frame is what nodes show, and shared by many of
 * them. A tree is typed arrays by node: frame, parent, depth, and end, which is the first node behind its descendants.
 * start[] counts the samples left of a node, so that a node's samples are start[end[node]] - start[node].
 */

const ROOT = 0;
const NONE = 0xffffffff;

const PYTHON = 0; // kinds of frames, as in enum frame_kind
const THREAD = 1;
const PROCESS = 2;
const NATIVE = 4;
const KERNEL = 5;

function parts(root, name) {
    return Array.from(root.querySelectorAll(`metadata[data-pyspyc="${name}"]`), (part) => part.textContent);
}

/* A function that returns the next number of a column. */
function openColumn(root, name) {
    const bytes = atob(parts(root, name).join(''));
    let at = 0;
    return function () {
        let number = 0;
        let scale = 1;
        let byte;
        do {
            byte = bytes.charCodeAt(at++);
            number += (byte & 0x7f) * scale;
            scale *= 0x80;
        } while (byte > 0x7f);
        return number;
    };
}

/* Frames as detailed as the file has them. */
function readFrames(root, info) {
    const strings = parts(root, 'strings').flatMap((part) => JSON.parse(part));
    const next = {};
    for (const name of ['kind', 'member', 'colour', 'name', 'file', 'short', 'line', 'first'])
        next[name] = openColumn(root, name);
    return Array.from({length: info.frames}, function () {
        const colour = next.colour();
        const frame = {
            kind: next.kind(),
            member: next.member(),
            family: Math.floor(colour / info.shades),
            shade: colour % info.shades,
            name: strings[next.name() - 1] || '(no name)',
            file: strings[next.file() - 1] || '',
            short: strings[next.short() - 1] || '',
            line: next.line() | 0,
            first: next.first() | 0,
        };
        /* Native code without a line has a library for its file. */
        frame.hasSource = frame.kind === PYTHON || (frame.kind === NATIVE && frame.line > 0);
        return frame;
    });
}

function makeTree(count) {
    return {
        count,
        isInverted: false,
        frame: new Uint32Array(count),
        parent: new Uint32Array(count),
        depth: new Uint32Array(count),
        end: new Uint32Array(count),
        start: new Float64Array(count + 1),
        amounts: null, // by node: samples before and after, in a picture of two recordings
        folded: null, // by node: how often its frame stood in a stack, where recursion is folded
    };
}

function readTree(root, info) {
    const tree = makeTree(info.nodes);
    const next = openColumn(root, 'nodes');
    const path = [];
    let depth = 0;
    for (let node = 0; node < tree.count; node++) {
        const head = next();
        const ends = head % 2 === 1;
        tree.frame[node] = (head - ends) / 2;
        tree.parent[node] = depth > 0 ? path[depth - 1] : NONE;
        tree.depth[node] = depth;
        path[depth] = node;
        tree.start[node + 1] = tree.start[node] + (ends ? next() : 0);
        const levelsUp = ends ? next() : 0;
        for (let i = 0; i < levelsUp; i++)
            tree.end[path[depth - i]] = node + 1;
        depth += 1 - levelsUp;
    }
    if (info.diff)
        readAmounts(root, tree, info);
    return tree;
}

function totalOf(tree, node) {
    return tree.start[tree.end[node]] - tree.start[node];
}

/* Samples that end in the node itself. */
function weightOf(tree, node) {
    return tree.start[node + 1] - tree.start[node];
}

/* Other samples in the same tree: weights has a number for each node. */
function setTreeWeights(tree, weights) {
    for (let node = 0; node < tree.count; node++)
        tree.start[node + 1] = tree.start[node] + weights[node];
}

/* The root first; the node itself is not among them. */
function ancestorsOf(tree, node) {
    const ancestors = [];
    for (let at = tree.parent[node]; at !== NONE; at = tree.parent[at])
        ancestors.push(at);
    return ancestors.reverse();
}

function childrenOf(tree, node) {
    const children = [];
    for (let child = node + 1; child < tree.end[node]; child = tree.end[child])
        children.push(child);
    return children;
}
