// SPDX-License-Identifier: MIT
/*
 * Trees made from trees: with less detail, with frames hidden, with recursion folded, and leaf first. There can be
 * millions of nodes, so everything is in typed arrays and nothing is made for each node.
 */

/*
 * Nodes that are found or made by parent and frame. They have numbers in the order in which they were made; finishTree()
 * puts them into the order of a tree.
 */
function makeBuilder(rootFrame, room) {
    let capacity = 1024;
    while (capacity < room)
        capacity *= 2;
    const builder = {
        count: 1,
        capacity,
        frame: new Uint32Array(capacity),
        parent: new Uint32Array(capacity),
        weight: new Float64Array(capacity),
        folded: new Uint32Array(capacity),
        lastChild: new Uint32Array(capacity), // the child that was asked for last; most often it is asked for again
        slots: new Uint32Array(2 * capacity), // a hash table of nodes; 0 is an empty slot, as nobody asks for the root
    };
    builder.frame[ROOT] = rootFrame;
    builder.parent[ROOT] = NONE;
    return builder;
}

function slotOf(builder, parent, frame) {
    const mask = builder.slots.length - 1;
    let hash = Math.imul(parent, 0x9e3779b1) ^ Math.imul(frame, 0x85ebca6b);
    hash = Math.imul(hash ^ hash >>> 15, 0x2c1b3c6d);
    let slot = (hash ^ hash >>> 13) & mask;
    for (;;) {
        const node = builder.slots[slot];
        if (node === 0 || (builder.parent[node] === parent && builder.frame[node] === frame))
            return slot;
        slot = (slot + 1) & mask;
    }
}

function growBuilder(builder) {
    builder.capacity *= 2;
    for (const name of ['frame', 'parent', 'weight', 'folded', 'lastChild']) {
        const old = builder[name];
        builder[name] = new old.constructor(builder.capacity);
        builder[name].set(old);
    }
    builder.slots = new Uint32Array(2 * builder.capacity);
    for (let node = 1; node < builder.count; node++)
        builder.slots[slotOf(builder, builder.parent[node], builder.frame[node])] = node;
}

function childFor(builder, parent, frame) {
    const last = builder.lastChild[parent];
    if (last !== 0 && builder.frame[last] === frame)
        return last;
    let slot = slotOf(builder, parent, frame);
    let node = builder.slots[slot];
    if (node === 0) {
        if (builder.count === builder.capacity) {
            growBuilder(builder);
            slot = slotOf(builder, parent, frame);
        }
        node = builder.slots[slot] = builder.count++;
        builder.frame[node] = frame;
        builder.parent[node] = parent;
    }
    builder.lastChild[parent] = node;
    return node;
}

/* Sums up, from the leaves to the root, the samples and the nodes of each subtree; one without samples has no nodes. */
function sumUp(builder) {
    const totals = builder.weight.slice(0, builder.count);
    const sizes = new Uint32Array(builder.count);
    for (let node = builder.count - 1; node > 0; node--) {
        if (totals[node] === 0)
            continue;
        sizes[node]++;
        totals[builder.parent[node]] += totals[node];
        sizes[builder.parent[node]] += sizes[node];
    }
    sizes[ROOT]++;
    return sizes;
}

/* Sorts nodes by a key below limit, and leaves those with equal keys as they stand. */
function sortByKey(nodes, keyOf, limit) {
    const places = new Uint32Array(limit + 1);
    for (const node of nodes)
        places[keyOf(node) + 1]++;
    for (let key = 0; key < limit; key++)
        places[key + 1] += places[key];
    const sorted = new Uint32Array(nodes.length);
    for (const node of nodes)
        sorted[places[keyOf(node)]++] = node;
    return sorted;
}

/* The nodes but the root, siblings side by side and in their order. */
function orderNodes(builder, sizes, ranks) {
    let count = 0;
    const nodes = new Uint32Array(builder.count);
    for (let node = 1; node < builder.count; node++) {
        if (sizes[node] > 0)
            nodes[count++] = node;
    }
    const byRank = sortByKey(nodes.subarray(0, count), (node) => ranks[builder.frame[node]], ranks.length);
    return sortByKey(byRank, (node) => builder.parent[node], builder.count);
}

/* The tree of what was built, without what has no samples. A parent has a smaller number than its children have. */
function finishTree(builder, ranks) {
    const sizes = sumUp(builder);
    const tree = makeTree(sizes[ROOT]);
    const places = new Uint32Array(builder.count);
    const next = new Uint32Array(builder.count); // by node: the place of its next child
    const {frame, parent, depth, end, start} = tree;
    tree.folded = new Uint32Array(tree.count);
    const put = function (node, place) {
        places[node] = place;
        next[node] = place + 1;
        frame[place] = builder.frame[node];
        end[place] = place + sizes[node];
        start[place + 1] = builder.weight[node];
        tree.folded[place] = builder.folded[node];
    };
    put(ROOT, ROOT);
    parent[ROOT] = NONE;
    for (const node of orderNodes(builder, sizes, ranks)) {
        const above = builder.parent[node];
        const place = next[above];
        next[above] += sizes[node];
        put(node, place);
        parent[place] = places[above];
        depth[place] = depth[places[above]] + 1;
    }
    for (let node = 0; node < tree.count; node++)
        start[node + 1] += start[node];
    return tree;
}

/*
 * Less of a tree. The plan has an entry for each frame of the tree:
 *
 *   map     the frame that is shown for it
 *   hides   1: not shown; its samples are its caller's
 *   drops   1: stacks that have it are left out
 *   wants   bits; only stacks whose frames have all bits of `wanted` together are kept
 *
 * With `folds`, a frame that stands in its own stack again is put together with the outer one. A frame that ran on
 * behalf of the inner one then stands above the outer one. Groups and frames shown are few against nodes.
 */
function reduceTree(tree, plan) {
    const {map, hides, drops, wants, wanted, folds} = plan;
    const builder = makeBuilder(map[tree.frame[ROOT]], Math.min(tree.count, 1 << 21));
    const deepest = tree.depth.reduce((most, depth) => Math.max(most, depth), 0);
    const shown = new Uint32Array(deepest + 1); // by depth in the tree: the node of the one that is built
    const bits = new Uint32Array(deepest + 1);
    const entered = new Uint32Array(deepest + 1).fill(NONE); // by depth: the frame that was entered there
    const open = new Uint32Array(plan.frameCount); // by frame: the node that it has in the current stack
    const times = new Uint32Array(plan.frameCount); // by frame: how often it is in the current stack
    let reached = 0;
    const leave = function (depth) {
        for (; reached >= depth; reached--) {
            const frame = entered[reached];
            if (frame !== NONE && --times[frame] === 0)
                open[frame] = 0;
        }
    };
    const enter = function (depth, frame) {
        const parent = shown[depth - 1];
        const node = open[frame] || childFor(builder, parent, frame);
        open[frame] = node;
        times[frame]++;
        builder.folded[node] = Math.max(builder.folded[node], times[frame]);
        return node;
    };
    if (bits[0] === wanted)
        builder.weight[ROOT] = weightOf(tree, ROOT);
    for (let node = 1; node < tree.count;) {
        const frame = tree.frame[node];
        if (drops[frame] || totalOf(tree, node) === 0) {
            node = tree.end[node];
            continue;
        }
        const depth = tree.depth[node];
        if (folds)
            leave(depth);
        entered[depth] = folds && !hides[frame] ? map[frame] : NONE;
        if (hides[frame])
            shown[depth] = shown[depth - 1];
        else
            shown[depth] = folds ? enter(depth, map[frame]) : childFor(builder, shown[depth - 1], map[frame]);
        reached = depth;
        bits[depth] = bits[depth - 1] | wants[frame];
        if (bits[depth] === wanted)
            builder.weight[shown[depth]] += weightOf(tree, node);
        node++;
    }
    return finishTree(builder, plan.ranks);
}

/*
 * The tree of the same stacks with their leaves at the root. Groups, for which isGroupFrame has a 1, stay at the root, each
 * with the stacks that it has.
 */
function invertTree(tree, isGroupFrame, ranks) {
    const builder = makeBuilder(tree.frame[ROOT], Math.min(tree.count, 1 << 21));
    const deepest = tree.depth.reduce((most, depth) => Math.max(most, depth), 0);
    const anchors = new Uint32Array(deepest + 1); // by depth: the node that stacks are put on
    const ends = new Uint32Array(deepest + 1); // by depth: the tree's node that it is
    builder.weight[ROOT] = weightOf(tree, ROOT);
    for (let node = 1; node < tree.count; node++) {
        const depth = tree.depth[node];
        const above = tree.parent[node];
        anchors[depth] = anchors[depth - 1];
        ends[depth] = ends[depth - 1];
        if (isGroupFrame[tree.frame[node]] && ends[depth] === above) {
            anchors[depth] = childFor(builder, anchors[depth], tree.frame[node]);
            ends[depth] = node;
        }
        const weight = weightOf(tree, node);
        if (weight === 0)
            continue;
        let at = anchors[depth];
        for (let caller = node; caller !== ends[depth]; caller = tree.parent[caller]) {
            at = childFor(builder, at, tree.frame[caller]);
            if (tree.folded !== null)
                builder.folded[at] = Math.max(builder.folded[at], tree.folded[caller]);
        }
        builder.weight[at] += weight;
    }
    const inverted = finishTree(builder, ranks);
    inverted.isInverted = true;
    return inverted;
}

/* Samples by frame that ended in it. The tree must be root first. */
function weightsByFrame(tree, frameCount) {
    const weights = new Float64Array(frameCount);
    for (let node = 0; node < tree.count; node++)
        weights[tree.frame[node]] += weightOf(tree, node);
    return weights;
}
