// SPDX-License-Identifier: MIT
/*
 * The script inside a flame graph's SVG. It reads the data that stands beside it (picture_data.c says how), and redraws
 * for the window what the still picture shows, with zoom, search, details and keys.
 *
 * A node is a number, its place in a depth-first walk; a frame is what a node shows, shared by many nodes. The boxes on
 * the screen are `view.boxes`, in the order of their nodes. Only boxes of half a pixel and more are drawn; sums and
 * searches see every node.
 */
(function () {
    'use strict';

    const SVG = 'http://www.w3.org/2000/svg';
    const HTML = 'http://www.w3.org/1999/xhtml';
    const ROOT = 0;
    const NONE = 0xffffffff;
    const SMALLEST_BOX = 0.5; // pixels
    const SMALLEST_LABEL = 3; // columns
    const CUT_MIDDLE_FROM = 10; // columns; caption.c has the same rule
    const LABEL_PADDING = 4;
    const LABEL_BASELINE = 13;
    const CONTROLS_WIDTH = 650;
    const LEGEND_WIDTH = 510;

    /* ---- reading the data ---- */

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

    function readFrames(root, info) {
        const strings = parts(root, 'strings').flatMap((part) => JSON.parse(part));
        const next = {};
        for (const name of ['colour', 'name', 'file', 'short', 'line'])
            next[name] = openColumn(root, name);
        return Array.from({length: info.frames}, function () {
            const colour = next.colour();
            return makeFrame({
                colour: info.families[Math.floor(colour / info.shades)][0] + colour % info.shades,
                name: strings[next.name() - 1] || '(no name)',
                file: strings[next.file() - 1] || '',
                short: strings[next.short() - 1] || '',
                line: next.line() | 0,
            });
        });
    }

    function place(file, line) {
        return line ? `${file}:${line}` : file;
    }

    /* Adds the texts that a frame's box can hold, the longest first. */
    function makeFrame(frame) {
        const {name, short, line} = frame;
        frame.place = frame.file && place(frame.file, line);
        frame.labels = [name];
        if (short) {
            const base = short.slice(short.lastIndexOf('/') + 1);
            frame.labels = [`${name} (${place(short, line)})`, `${name} (${place(base, line)})`, name];
        }
        frame.isPlain = isPlain(frame.labels[0]);
        return frame;
    }

    /*
     * The tree in arrays by node. start[node] counts the samples left of it, so that a node's samples are
     * start[end[node]] - start[node], where end[node] is the first node behind its descendants.
     */
    function readTree(root, info) {
        const count = info.nodes;
        const tree = {
            count,
            frame: new Uint32Array(count),
            parent: new Uint32Array(count),
            depth: new Uint32Array(count),
            end: new Uint32Array(count),
            start: new Float64Array(count + 1),
        };
        const next = openColumn(root, 'nodes');
        const path = [];
        let depth = 0;
        for (let node = 0; node < count; node++) {
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
        return tree;
    }

    function totalOf(tree, node) {
        return tree.start[tree.end[node]] - tree.start[node];
    }

    function selfOf(tree, node) {
        return tree.start[node + 1] - tree.start[node];
    }

    /* ---- elements ---- */

    function make(namespace, name, attributes, parent) {
        const element = document.createElementNS(namespace, name);
        for (const [key, value] of Object.entries(attributes))
            element.setAttribute(key, value);
        if (parent)
            parent.appendChild(element);
        return element;
    }

    function setAttributes(element, attributes) {
        for (const key in attributes)
            element.setAttribute(key, attributes[key]);
    }

    /* Elements of one kind that are used again at each redraw. */
    function makePool(name, parent) {
        const elements = [];
        let used = 0;
        return {
            elements,
            begin() {
                used = 0;
            },
            take() {
                if (used === elements.length)
                    elements.push(make(SVG, name, {}, parent));
                return elements[used++];
            },
            finish() {
                for (const element of elements.splice(used))
                    element.remove();
            },
        };
    }

    /* ---- text that fits ---- */

    function isPlain(text) {
        return /^[ -~]*$/.test(text);
    }

    /* Widths of text: plain text by its length, any other by asking the browser about it. */
    function makeMeasure(sample) {
        const style = getComputedStyle(sample);
        const context = make(HTML, 'canvas', {}).getContext('2d');
        context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
        const column = Math.max(context.measureText('M'.repeat(100)).width, 1) / 100;
        return {
            column,
            fits(text, plain, pixels) {
                if (plain)
                    return text.length * column <= pixels;
                return text.length * column <= 8 * pixels && context.measureText(text).width <= pixels;
            },
        };
    }

    function cut(text, columns) {
        const tail = columns < CUT_MIDDLE_FROM ? 0 : Math.floor((columns - 1) / 3);
        const head = columns - 1 - tail;
        const first = Array.from(text.slice(0, 2 * columns)).slice(0, head);
        const last = tail ? Array.from(text.slice(-2 * columns)).slice(-tail) : [];
        return first.join('') + '…' + last.join('');
    }

    /* The text, its middle cut out until it fits; empty when nothing worth reading fits. */
    function cutToFit(measure, text, plain, pixels) {
        if (measure.fits(text, plain, pixels))
            return text;
        let fitting = plain ? Math.floor(pixels / measure.column) : SMALLEST_LABEL - 1;
        let tooMany = Math.floor(pixels / measure.column) + 1;
        while (fitting + 1 < tooMany) {
            const middle = Math.floor((fitting + tooMany) / 2);
            if (measure.fits(cut(text, middle), false, pixels))
                fitting = middle;
            else
                tooMany = middle;
        }
        return fitting < SMALLEST_LABEL ? '' : cut(text, fitting);
    }

    function fitLabel(measure, frame, pixels) {
        if (pixels < SMALLEST_LABEL * measure.column)
            return '';
        const label = frame.labels.find((text) => measure.fits(text, frame.isPlain, pixels));
        return label === undefined ? cutToFit(measure, frame.name, frame.isPlain, pixels) : label;
    }

    /* ---- layout and drawing ---- */

    /* The root first. */
    function ancestorsOf(tree, node) {
        const ancestors = [];
        for (let at = tree.parent[node]; at !== NONE; at = tree.parent[at])
            ancestors.push(at);
        return ancestors.reverse();
    }

    /* The boxes of a view: the zoomed node over the whole width, its ancestors below it, its descendants above. */
    function layOut(view) {
        const {tree, zoomed} = view;
        const {margin} = view.info;
        const width = view.width - 2 * margin;
        const scale = width / totalOf(tree, zoomed);
        const boxes = ancestorsOf(tree, zoomed).map((node) => ({node, x: margin, width, isFaded: true}));
        for (let node = zoomed; node < tree.end[zoomed];) {
            const boxWidth = totalOf(tree, node) * scale;
            if (boxWidth < SMALLEST_BOX) {
                node = tree.end[node];
                continue;
            }
            const x = margin + (tree.start[node] - tree.start[zoomed]) * scale;
            boxes.push({node, x, width: boxWidth, isFaded: false});
            node++;
        }
        return boxes;
    }

    /* The graph grows when deeper boxes come into view, and never shrinks: boxes would run away from the mouse. */
    function updateHeight(view) {
        const {row, top, bottom} = view.info;
        const deepest = view.boxes.reduce((depth, box) => Math.max(depth, view.tree.depth[box.node]), 0);
        const height = top + (deepest + 1) * row + bottom;
        if (height <= view.height)
            return;
        const grown = height - view.height;
        view.height = height;
        view.root.setAttribute('height', height);
        if (view.isAlone)
            window.scrollBy(0, grown);
    }

    function yOf(view, node) {
        return view.height - view.info.bottom - (view.tree.depth[node] + 1) * view.info.row;
    }

    function drawBox(view, box) {
        const frame = view.frames[view.tree.frame[box.node]];
        const isMatch = view.matches !== null && view.matches[view.tree.frame[box.node]] === 1;
        const mark = (isMatch ? ' match' : '') + (box.isFaded ? ' faded' : '');
        const y = yOf(view, box.node);
        const width = box.width - (box.width >= 2 ? 0.5 : 0);
        setAttributes(view.rects.take(), {
            class: frame.colour + mark,
            x: box.x.toFixed(2),
            y,
            width: width.toFixed(2),
            height: view.info.row - 1,
        });
        const label = fitLabel(view.measure, frame, width - 2 * LABEL_PADDING);
        if (!label)
            return;
        const text = view.labels.take();
        setAttributes(text, {class: mark, x: (box.x + LABEL_PADDING).toFixed(2), y: y + LABEL_BASELINE});
        if (text.textContent !== label)
            text.textContent = label;
    }

    function drawHead(view) {
        const {margin} = view.info;
        const width = view.width - 2 * margin;
        for (const [element, text] of [[view.title, view.info.title], [view.facts, view.info.facts]]) {
            const measure = makeMeasure(element);
            element.removeAttribute('textLength');
            element.textContent = cutToFit(measure, text, isPlain(text), width);
        }
        const controlsWidth = Math.min(CONTROLS_WIDTH, width);
        view.controls.panel.setAttribute('width', controlsWidth);
        view.controls.panel.setAttribute('x', view.width - margin - controlsWidth);
        view.legend.setAttribute('display', width < controlsWidth + LEGEND_WIDTH ? 'none' : 'inline');
    }

    function draw(view) {
        const hadFocus = view.boxLayer.contains(document.activeElement);
        view.boxes = layOut(view);
        updateHeight(view);
        view.rects.begin();
        view.labels.begin();
        for (const box of view.boxes)
            drawBox(view, box);
        view.rects.finish();
        view.labels.finish();
        view.controls.resetZoom.disabled = view.zoomed === ROOT;
        hideDetails(view);
        const current = view.boxes.findIndex((box) => box.node === view.current);
        setCurrent(view, current < 0 ? view.boxes.findIndex((box) => box.node === view.zoomed) : current);
        if (hadFocus)
            focusCurrent(view);
    }

    function resize(view) {
        const width = Math.floor(view.root.getBoundingClientRect().width);
        if (width <= 0 || width === view.width)
            return;
        view.width = width;
        drawHead(view);
        draw(view);
    }

    function zoom(view, node) {
        view.zoomed = node;
        view.current = node;
        draw(view);
        showMatched(view);
    }

    /* ---- details of a frame ---- */

    function count(number, noun) {
        return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
    }

    function percent(samples, whole) {
        return `${(100 * samples / whole).toFixed(2)} %`;
    }

    function seconds(view, samples) {
        const time = samples * view.info.interval_ns / 1e9;
        return `${time.toFixed(time < 10 ? 3 : 2)} s`;
    }

    function describe(view, node) {
        const {tree} = view;
        const frame = view.frames[tree.frame[node]];
        const total = totalOf(tree, node);
        const self = selfOf(tree, node);
        const shares = [`${percent(total, totalOf(tree, ROOT))} of all`];
        const isInside = node >= view.zoomed && node < tree.end[view.zoomed];
        if (view.zoomed !== ROOT && isInside)
            shares.push(`${percent(total, totalOf(tree, view.zoomed))} of the zoomed frame`);
        return [
            frame.name,
            frame.place,
            `${count(total, 'sample')}, ${seconds(view, total)}: ${shares.join(', ')}`,
            `self: ${count(self, 'sample')}, ${seconds(view, self)}`,
        ].filter((line) => line);
    }

    function outline(view, box) {
        setAttributes(view.outline, {
            x: box.x,
            y: yOf(view, box.node),
            width: Math.max(box.width - 0.5, 1),
            height: view.info.row - 1,
            display: 'inline',
        });
    }

    /* The part of the picture that can be seen, in its own coordinates. */
    function visibleArea(view) {
        const area = view.root.getBoundingClientRect();
        return {
            top: Math.max(0, -area.top),
            bottom: Math.min(view.height, window.innerHeight - area.top),
            right: view.width,
        };
    }

    /* Shows the details of a box beside a point, inside of what can be seen. */
    function showDetails(view, box, x, y) {
        outline(view, box);
        const {tip} = view;
        const area = visibleArea(view);
        tip.texts.forEach((text) => text.remove());
        tip.texts = describe(view, box.node).map(function (line, i) {
            const text = make(SVG, 'text', {x: 8, y: 18 + 16 * i}, tip.group);
            text.textContent = cutToFit(view.measure, line, isPlain(line), 0.9 * area.right - 30);
            return text;
        });
        tip.group.setAttribute('display', 'inline');
        const width = 16 + Math.max(...tip.texts.map((text) => text.getComputedTextLength()));
        const height = 10 + 16 * tip.texts.length;
        setAttributes(tip.frame, {width, height});
        const left = Math.max(2, Math.min(x + 14, area.right - width - 2));
        const fitsBelow = y + 20 + height <= area.bottom;
        const top = fitsBelow ? y + 20 : Math.max(area.top, y - 12 - height);
        tip.group.setAttribute('transform', `translate(${left} ${top})`);
    }

    function hideDetails(view) {
        view.tip.group.setAttribute('display', 'none');
        view.outline.setAttribute('display', 'none');
    }

    function boxOf(view, element) {
        const slot = view.rects.elements.indexOf(element);
        return slot < 0 ? null : view.boxes[slot];
    }

    function hover(view, event) {
        const box = boxOf(view, event.target);
        if (!box)
            return;
        const area = view.root.getBoundingClientRect();
        showDetails(view, box, event.clientX - area.left, event.clientY - area.top);
    }

    /* ---- keyboard: one box can be reached with Tab, arrows go to the others ---- */

    function setCurrent(view, slot) {
        if (view.currentRect)
            view.currentRect.removeAttribute('tabindex');
        view.current = view.boxes[slot].node;
        view.currentRect = view.rects.elements[slot];
        setAttributes(view.currentRect, {
            tabindex: 0,
            role: 'button',
            'aria-label': describe(view, view.current).join(', '),
        });
    }

    /* The mouse gives focus, too, but whoever points at a box has its details already. */
    function focusCurrent(view) {
        view.currentRect.focus();
        if (!view.currentRect.matches(':focus-visible'))
            return;
        const box = boxOf(view, view.currentRect);
        showDetails(view, box, Math.max(box.x, 0), yOf(view, box.node));
    }

    function slotsWhere(view, isWanted) {
        return view.boxes.map((box, slot) => slot).filter((slot) => isWanted(view.boxes[slot].node));
    }

    function widestChild(view, node) {
        const children = slotsWhere(view, (other) => view.tree.parent[other] === node);
        return children.reduce((best, slot) =>
            best < 0 || view.boxes[slot].width > view.boxes[best].width ? slot : best, -1);
    }

    /* The slot that an arrow key leads to, or undefined or -1 when there is none. */
    function neighbour(view, key) {
        const {tree, current} = view;
        const isInRow = (node) => tree.depth[node] === tree.depth[current];
        switch (key) {
        case 'ArrowUp':
            return widestChild(view, current);
        case 'ArrowDown':
            return slotsWhere(view, (node) => node === tree.parent[current])[0];
        case 'ArrowLeft':
            return slotsWhere(view, (node) => isInRow(node) && node < current).pop();
        case 'ArrowRight':
            return slotsWhere(view, (node) => isInRow(node) && node > current)[0];
        default:
            return undefined;
        }
    }

    function pressInBoxes(view, event) {
        if (event.key === 'Enter' || event.key === ' ') {
            event.preventDefault();
            zoom(view, view.current);
            return;
        }
        if (!event.key.startsWith('Arrow'))
            return;
        event.preventDefault();
        const slot = neighbour(view, event.key);
        if (slot >= 0) {
            setCurrent(view, slot);
            focusCurrent(view);
        }
    }

    /* Esc undoes one thing: the search while its box has the keys, otherwise the zoom, otherwise the search. */
    function pressEscape(view) {
        hideDetails(view);
        const isSearching = document.activeElement === view.controls.input && view.matches !== null;
        if (!isSearching && view.zoomed !== ROOT)
            zoom(view, ROOT);
        else
            resetSearch(view);
    }

    /* ---- search ---- */

    /* A pattern without capital letters ignores the case; one that is no regular expression is taken literally. */
    function compile(pattern) {
        const flags = pattern === pattern.toLowerCase() ? 'iu' : 'u';
        try {
            return new RegExp(pattern, flags);
        } catch (error) {
            return new RegExp(pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), flags);
        }
    }

    function search(view, pattern) {
        view.matches = null;
        if (pattern) {
            const expression = compile(pattern);
            view.matches = Uint8Array.from(view.frames, (frame) =>
                expression.test(frame.labels[0]) || expression.test(frame.place) ? 1 : 0);
        }
        draw(view);
        showMatched(view);
    }

    function resetSearch(view) {
        view.controls.input.value = '';
        search(view, '');
    }

    /* Samples at or below `top` whose stacks have a match; a match inside of a match counts once. */
    function matchedSamples(view, top) {
        const {tree, matches} = view;
        if (ancestorsOf(tree, top).some((node) => matches[tree.frame[node]]))
            return totalOf(tree, top);
        let samples = 0;
        for (let node = top; node < tree.end[top];) {
            if (matches[tree.frame[node]]) {
                samples += totalOf(tree, node);
                node = tree.end[node];
            } else {
                node++;
            }
        }
        return samples;
    }

    function showMatched(view) {
        const {matched, resetSearch: button} = view.controls;
        button.disabled = view.matches === null;
        matched.textContent = '';
        if (view.matches === null)
            return;
        const share = (top) => percent(matchedSamples(view, top), totalOf(view.tree, top));
        matched.textContent = `Matched ${share(ROOT)}`;
        if (view.zoomed !== ROOT)
            matched.textContent += `, zoomed ${share(view.zoomed)}`;
    }

    /* ---- start ---- */

    function makeButton(text, parent, onClick) {
        const button = make(HTML, 'button', {type: 'button', disabled: ''}, parent);
        button.textContent = text;
        button.addEventListener('click', onClick);
        return button;
    }

    function makeControls(view, parent) {
        const panel = make(SVG, 'foreignObject', {y: 52, height: 28}, parent);
        const row = make(HTML, 'div', {class: 'controls', role: 'toolbar', 'aria-label': 'Flame graph'}, panel);
        const matched = make(HTML, 'output', {}, row);
        const input = make(HTML, 'input', {
            type: 'text',
            placeholder: 'Search',
            title: 'A regular expression for names and files; capital letters make it heed the case',
            'aria-label': 'Search frames',
            autocomplete: 'off',
            spellcheck: 'false',
        }, row);
        input.addEventListener('input', () => search(view, input.value));
        return {
            panel,
            input,
            matched,
            resetSearch: makeButton('Reset search', row, () => resetSearch(view)),
            resetZoom: makeButton('Reset zoom', row, () => zoom(view, ROOT)),
        };
    }

    function makeTip(parent) {
        const group = make(SVG, 'g', {class: 'tip', display: 'none', 'aria-hidden': 'true'}, parent);
        return {group, frame: make(SVG, 'rect', {}, group), texts: []};
    }

    function makeView(root) {
        const info = JSON.parse(parts(root, 'info').join(''));
        const find = (selector) => root.querySelector(selector);
        const head = find('.head');
        const view = {
            root, info, head,
            title: find('.head .title'),
            facts: find('.head .facts'),
            legend: find('.head .legend'),
            frames: readFrames(root, info),
            tree: readTree(root, info),
            isAlone: document.documentElement === root,
            width: 0,
            height: Number(root.getAttribute('height')),
            zoomed: ROOT,
            current: ROOT,
            currentRect: null,
            matches: null,
            boxes: [],
        };
        const live = make(SVG, 'g', {class: 'live'});
        find('.boxes').replaceWith(live);
        view.boxLayer = make(SVG, 'g', {class: 'boxes', role: 'group',
            'aria-label': 'Frames: arrows go to parent, child and neighbours, Enter zooms, Escape resets'}, live);
        view.rects = makePool('rect', view.boxLayer);
        view.labels = makePool('text', make(SVG, 'g', {class: 'labels', 'aria-hidden': 'true'}, live));
        view.outline = make(SVG, 'rect', {class: 'outline', display: 'none'}, live);
        view.measure = makeMeasure(view.facts);
        view.controls = makeControls(view, head);
        view.tip = makeTip(root);
        return view;
    }

    function listen(view) {
        view.boxLayer.addEventListener('pointermove', (event) => hover(view, event));
        view.boxLayer.addEventListener('pointerleave', () => hideDetails(view));
        view.boxLayer.addEventListener('click', function (event) {
            const box = boxOf(view, event.target);
            if (box)
                zoom(view, box.node);
        });
        view.boxLayer.addEventListener('keydown', (event) => pressInBoxes(view, event));
        view.boxLayer.addEventListener('focusin', () => focusCurrent(view));
        view.boxLayer.addEventListener('focusout', () => hideDetails(view));
        (view.isAlone ? document : view.root).addEventListener('keydown', function (event) {
            if (event.key === 'Escape')
                pressEscape(view);
        });
        new ResizeObserver(() => resize(view)).observe(view.root);
        if (view.isAlone)
            window.addEventListener('scroll', () =>
                view.head.setAttribute('transform', `translate(0 ${window.scrollY})`));
    }

    function start(root) {
        const view = makeView(root);
        root.setAttribute('width', '100%');
        root.removeAttribute('viewBox');
        root.setAttribute('role', 'group');
        if (!view.isAlone)
            root.querySelector('title').remove(); // it would be a tooltip of everything
        resize(view);
        if (view.isAlone)
            window.scrollTo(0, view.height);
        listen(view);
    }

    start(document.currentScript.parentNode);
})();
