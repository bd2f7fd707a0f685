// SPDX-License-Identifier: MIT
/*
 * Searching: over all nodes of the tree that is shown, drawn or not.
 */

/*
 * A pattern without capital letters ignores the case; one that is no regular expression is taken literally, and the
 * error says why.
 */
function compile(pattern) {
    const flags = pattern === pattern.toLowerCase() ? 'iu' : 'u';
    try {
        return {expression: new RegExp(pattern, flags), error: ''};
    } catch (error) {
        const reason = error.message.replace(/^Invalid regular expression: (\/.*\/\w*: )?/s, '');
        return {expression: new RegExp(pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), flags), error: reason};
    }
}

/* What a pattern finds: by frame 1 or 0, and how many nodes have such frames. */
function findMatches(tree, frames, pattern) {
    const {expression, error} = compile(pattern);
    const byFrame = Uint8Array.from(frames, (frame) =>
        expression.test(frame.labels[0]) || expression.test(frame.place) ? 1 : 0);
    let count = 0;
    for (let node = 0; node < tree.count; node++)
        count += byFrame[tree.frame[node]];
    return {byFrame, count, error, order: null, at: -1};
}

/* Matching nodes, the widest first; sorted when somebody first goes through them. */
function orderMatches(tree, matches) {
    if (matches.order === null) {
        matches.order = new Uint32Array(matches.count);
        let count = 0;
        for (let node = 0; node < tree.count; node++) {
            if (matches.byFrame[tree.frame[node]])
                matches.order[count++] = node;
        }
        matches.order.sort((a, b) => totalOf(tree, b) - totalOf(tree, a) || a - b);
    }
    return matches.order;
}

/* Samples at or below `top` whose stacks have a match; a match inside of a match counts once. */
function matchedSamples(tree, matches, top) {
    const isMatch = (node) => matches.byFrame[tree.frame[node]] === 1;
    if (ancestorsOf(tree, top).some(isMatch))
        return totalOf(tree, top);
    let samples = 0;
    for (let node = top; node < tree.end[top];) {
        if (isMatch(node)) {
            samples += totalOf(tree, node);
            node = tree.end[node];
        } else {
            node++;
        }
    }
    return samples;
}
