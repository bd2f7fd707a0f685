// SPDX-License-Identifier: MIT
/*
 * Frames as they are told apart at a level: 'line' by the line that runs, 'function' by the function's first line,
 * 'name' by name and file alone. It is what profile/reduce.c does.
 */

function placeOf(file, line) {
    return line && file ? `${file}:${line}` : file;
}

function isPlain(text) {
    return /^[ -~]*$/.test(text);
}

function isGroup(frame) {
    return frame.kind === THREAD || frame.kind === PROCESS;
}

/* The texts that a frame's box can hold, the longest first; the last one is cut where it is too long. */
function labelsOf(frame) {
    const {kind, name, short, line} = frame;
    if (kind === KERNEL)
        return [`${name} (kernel)`, name];
    if (isGroup(frame))
        return [name, kind === PROCESS ? withoutFolders(groupKey(frame)) : groupKey(frame)];
    if (!short)
        return [name];
    const base = short.slice(short.lastIndexOf('/') + 1);
    return [`${name} (${placeOf(short, line)})`, `${name} (${placeOf(base, line)})`, name];
}

/*
 * The first folder of what was imported; of a script's own files, which stand in any folders, the file itself, and of
 * native code the library, or the source where that is known.
 */
function packageOf(frame, families) {
    if (frame.kind === KERNEL)
        return 'kernel';
    if (frame.kind === NATIVE)
        return frame.short;
    const slash = frame.short.indexOf('/');
    return slash > 0 && families[frame.family][0] !== 'o' ? frame.short.slice(0, slash) : frame.short;
}

function lineAt(level, frame) {
    if (level === 'line')
        return frame.line;
    if (level === 'function' && frame.kind === NATIVE)
        return frame.first;
    return level === 'function' && frame.first ? frame.first : level === 'function' ? frame.line : 0;
}

function frameAt(level, frame, info) {
    const line = lineAt(level, frame);
    const shown = {...frame, line, first: level === 'name' ? 0 : frame.first};
    shown.place = placeOf(shown.file, line);
    shown.labels = labelsOf(shown);
    shown.isPlain = isPlain(shown.labels[0]);
    shown.package = packageOf(frame, info.families);
    return shown;
}

/* Siblings stand in this order: by name, file and line, as in the still picture. */
function rankFrames(frames) {
    const order = Uint32Array.from(frames, (frame, i) => i);
    const compare = (a, b) => (a > b) - (a < b);
    order.sort((i, j) => compare(frames[i].name, frames[j].name) || compare(frames[i].file, frames[j].file) ||
        frames[i].line - frames[j].line || i - j);
    const ranks = new Uint32Array(frames.length);
    order.forEach((frame, rank) => {
        ranks[frame] = rank;
    });
    return ranks;
}

/* map leads from the file's frames to those of the level. */
function makeLevel(level, fine, info) {
    const numbers = new Map();
    const frames = [];
    const map = Uint32Array.from(fine, function (frame) {
        const shown = frameAt(level, frame, info);
        const key = [shown.kind, shown.member, shown.line, shown.first, shown.name, shown.file].join('\0');
        let number = numbers.get(key);
        if (number === undefined) {
            number = frames.push(shown) - 1;
            numbers.set(key, number);
        }
        return number;
    });
    return {frames, map, ranks: rankFrames(frames), isWhole: frames.length === fine.length};
}

/* ---- threads and processes ---- */

/* What stays the same in another run: labels without the numbers that the system gave. */
function groupKey(frame) {
    return frame.name.replace(/^(process|thread) \(?(0x[0-9a-f]+|\d+)\)?(: )?/, '') || frame.name;
}

function addUp(tree, frames) {
    const totals = new Float64Array(frames.length);
    for (let node = 1; node < tree.count; node++) {
        if (isGroup(frames[tree.frame[node]]))
            totals[tree.frame[node]] += totalOf(tree, node);
    }
    return totals;
}

/* All groups: processes in their order, each followed by its threads, of which the main one is first. */
function findGroups(tree, fine, info) {
    const totals = fine.some((frame, i) => i > 0 && isGroup(frame)) ? addUp(tree, fine) : [];
    const groups = fine.map(function (frame, number) {
        const [process, isMain] = frame.kind === THREAD && info.threads[frame.member] || [frame.member, 0];
        return {frame: number, kind: frame.kind, process, isMain, total: totals[number], name: frame.name,
            key: groupKey(frame)};
    }).filter((group) => group.total > 0);
    groups.sort((a, b) => a.process - b.process || b.kind - a.kind || b.isMain - a.isMain || b.total - a.total);
    const seen = new Map();
    for (const group of groups) {
        const count = (seen.get(group.key) || 0) + 1;
        seen.set(group.key, count);
        if (count > 1)
            group.key += ` #${count}`;
    }
    return groups;
}
