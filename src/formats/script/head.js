// SPDX-License-Identifier: MIT
/*
 * What stands above the graph: title, search, views, legend, and the trail of the zoomed frame. Everything is made
 * once; updateHead() writes what changes.
 */

const LONGEST_CRUMB = 40; // characters
const MOST_CRUMBS = 7;
const SHORT_CRUMB = 8; // characters, which are never cut: as many as fit into 600 pixels in all crumbs
const HEAD_GAP = 8; // pixels between it and the graph
const COMPACT = {width: 640, height: 480}; // pixels; in a smaller window the graph needs the room

/* For people who do not see the picture. */
function say(view, text) {
    view.head.live.textContent = text;
    view.head.live.classList.remove('shown');
}

/* For everybody, but not for long. */
function flash(view, text) {
    say(view, text);
    view.head.live.classList.add('shown');
    clearTimeout(view.flashing);
    view.flashing = setTimeout(() => view.head.live.classList.remove('shown'), 5000);
}

/* Buttons of which one is pressed. */
function makeSwitch(view, parent, label, key, choices) {
    const group = make(HTML, 'span', {class: 'switch', role: 'group', 'aria-label': label}, parent);
    return choices.map(function ([value, text, title]) {
        const button = makeButton(text, group, () => change(view, {[key]: value}));
        setAttributes(button, {title, value});
        return button;
    });
}

function makeSearch(view, parent) {
    const box = make(HTML, 'span', {class: 'search', role: 'search'}, parent);
    const input = make(HTML, 'input', {
        type: 'text',
        placeholder: 'Search ( / )',
        title: 'A regular expression for names and files; a capital letter makes it heed the case',
        'aria-label': 'Search frames',
        autocomplete: 'off',
        spellcheck: 'false',
    }, box);
    input.addEventListener('input', () => search(view, input.value));
    input.addEventListener('change', () => writeAddress(view, true));
    const buttons = [['‹', -1, 'Previous match (N)'], ['›', 1, 'Next match (n)']].map(function ([text, step, title]) {
        const button = makeButton(text, box, () => goToMatch(view, step));
        setAttributes(button, {title, 'aria-label': title});
        return button;
    });
    const matched = make(HTML, 'output', {}, box);
    return {input, buttons, matched};
}

function makeThreadChoice(view, parent) {
    const select = makeSelect('Threads and processes (t)', parent, (value) => change(view, {threads: value}));
    const has = (kind) => view.groups.some((group) => group.kind === kind);
    const choices = [['together', 'Threads together', true], ['threads', 'Threads apart', has(THREAD)],
        ['processes', 'Processes apart', has(PROCESS)],
        ['apart', 'Processes and threads apart', has(THREAD) && has(PROCESS)]];
    for (const [value, text, isPossible] of choices) {
        if (isPossible)
            makeOption(select, value, text);
    }
    for (const group of view.groups)
        makeOption(select, `=${group.key}`, `Only ${brief(group.name, 60)}`);
    return select;
}

function makeViews(view, parent) {
    const row = make(HTML, 'div', {class: 'controls views', role: 'toolbar', 'aria-label': 'View'}, parent);
    const switches = [
        ...makeSwitch(view, row, 'Direction', 'direction', [
            ['flame', 'Flame', 'The root at the bottom (i)'], ['icicle', 'Icicle', 'The root at the top (i)']]),
        ...makeSwitch(view, row, 'Order', 'order', [
            ['caller', 'Callers first', 'From the root to what it calls (c)'],
            ['callee', 'Callees first', 'From what ran to its callers (c)']]),
        ...makeSwitch(view, row, 'Detail', 'level', [
            ['line', 'Lines', 'Frames apart by the line that ran (l)'],
            ['function', 'Functions', 'Frames together by the first line of their function (l)'],
            ['name', 'Names', 'Frames together by name and file (l)']]),
    ];
    const fold = makeButton('Fold recursion', row, () => change(view, {recursion: !view.state.recursion}));
    setAttributes(fold, {title: 'Put frames together that stand in their own stack again (r)', class: 'toggle'});
    return {switches, fold, threads: view.groups.length > 0 ? makeThreadChoice(view, row) : null};
}

/* In a small window the rows with views and colours are shown only when somebody wants them. */
function makeViewButton(view, parent) {
    const button = makeButton('View', parent, function () {
        const isOpen = view.head.content.classList.toggle('open');
        button.setAttribute('aria-expanded', isOpen ? 'true' : 'false');
        redraw(view);
    });
    setAttributes(button, {class: 'view-button', title: 'Direction, order, detail, threads and colours',
        'aria-expanded': 'false'});
}

function makeTitle(view, parent) {
    const title = makeText('div', 'title', brief(view.info.title, 300), parent);
    title.setAttribute('title', brief(view.info.title, 2000));
    return title;
}

function fitTitle(view) {
    const {title} = view.head;
    title.textContent = brief(view.info.title, 300);
    if (title.scrollWidth > title.clientWidth)
        title.textContent = brief(withoutFolders(view.info.title.slice(0, 2000)), 300);
}

function makeHead(view) {
    const group = make(SVG, 'g', {class: 'head'}, view.root);
    make(SVG, 'rect', {class: 'background', width: '100%'}, group);
    const holder = make(SVG, 'foreignObject', {x: 0, y: 0, height: 1}, group);
    const content = make(HTML, 'div', {class: 'head-content'}, holder);
    const top = make(HTML, 'div', {class: 'top'}, content);
    const title = makeTitle(view, top);
    const facts = makeText('div', 'facts', '', top);
    const controls = make(HTML, 'div', {class: 'controls'}, content);
    const searching = makeSearch(view, controls);
    const error = make(HTML, 'span', {class: 'error', role: 'alert'}, controls);
    const trail = make(HTML, 'nav', {class: 'trail', 'aria-label': 'Zoomed frame'}, controls);
    makeViewButton(view, controls);
    const help = makeButton('Keys', controls, () => toggleHelp(view));
    setAttributes(help, {class: 'help-button', title: 'Keys and what they do (?)', 'aria-haspopup': 'dialog'});
    const head = {
        group, holder, content, title, facts, error, trail, help, ...searching,
        views: makeViews(view, content),
        legend: make(HTML, 'div', {class: 'legend', role: 'group', 'aria-label': 'Colours'}, content),
        notes: make(HTML, 'div', {class: 'notes', role: 'group', 'aria-label': 'Hidden'}, content),
        live: make(HTML, 'div', {class: 'live-text', role: 'status', 'aria-live': 'polite'}, content),
    };
    return head;
}

/* ---- what changes ---- */

function press(button, isPressed) {
    button.setAttribute('aria-pressed', isPressed ? 'true' : 'false');
}

function updateViews(view) {
    const {switches, fold, threads} = view.head.views;
    for (const button of switches)
        press(button, Object.keys(CHOICES).some((key) => view.state[key] === button.value));
    press(fold, view.state.recursion);
    if (threads)
        threads.value = view.state.threads;
}

function legendColour(view, frame) {
    return view.state.colours === 'kind' ? `${view.info.families[frame.family][0]}0` : colourOf(view, frame);
}

/* What colours mean, and how many samples ended in frames of each: {key, colour, samples, family, isOthers}. */
function legendItems(view) {
    const items = new Map();
    const isByKind = view.state.colours === 'kind';
    view.level.frames.forEach(function (frame, i) {
        const isOthers = !isByKind && !view.moduleColours.has(frame.package);
        const key = isOthers ? 'others' : legendKeyOf(view, frame);
        if (!items.has(key)) {
            const colour = isOthers ? 'r0' : legendColour(view, frame);
            items.set(key, {key, colour, samples: 0, family: frame.family, isOthers});
        }
        items.get(key).samples += view.selfByFrame[i];
    });
    return [...items.values()].sort((a, b) => a.isOthers - b.isOthers ||
        (isByKind ? a.family - b.family : b.samples - a.samples));
}

function makeLegendItem(view, {key, colour, samples, isOthers}) {
    const item = makeButton('', view.head.legend, () => change(view, {kind: view.state.kind === key ? '' : key}));
    const swatch = make(SVG, 'svg', {class: 'swatch', width: 12, height: 12, 'aria-hidden': 'true'}, item);
    make(SVG, 'rect', {class: colour, width: 12, height: 12, rx: 2}, swatch);
    makeText('span', '', brief(key, 30), item);
    const whole = totalOf(view.tree, ROOT);
    if (samples > 0)
        makeText('span', 'share', `${(100 * samples / whole).toFixed(1)} %`, item);
    const share = `${percent(samples, whole)} of the samples shown ended in ${brief(key, 200)}`;
    item.setAttribute('title', isOthers ? share : `${share}; click to see where`);
    item.disabled = isOthers;
    press(item, view.state.kind === key);
}

function updateLegend(view) {
    const hadFocus = Array.from(view.head.legend.children).indexOf(document.activeElement);
    view.head.legend.replaceChildren();
    const colours = makeSelect('Colours (k)', view.head.legend, (value) => change(view, {colours: value, kind: ''}));
    for (const choice of coloursOf(view.initial))
        makeOption(colours, choice, COLOUR_TITLES[choice]);
    colours.value = view.state.colours;
    if (isByChange(view))
        fillChangeLegend(view);
    else
        fillLegend(view);
    if (hadFocus >= 0)
        view.head.legend.children[hadFocus]?.focus();
}

const COLOUR_TITLES = {
    total: 'Change of total time',
    self: 'Change of self time',
    kind: 'Colours by kind',
    module: 'Colours by module',
};

function fillLegend(view) {
    for (const item of legendItems(view))
        makeLegendItem(view, item);
}

function makeCrumb(view, node, isLast) {
    const frame = view.level.frames[view.tree.frame[node]];
    const crumb = makeButton(brief(frame.name, LONGEST_CRUMB), view.head.trail, () => zoom(view, node));
    crumb.setAttribute('title', brief(frame.labels[0], 400));
    if (frame.name.length <= SHORT_CRUMB)
        crumb.classList.add('short');
    if (isLast)
        crumb.setAttribute('aria-current', 'true');
}

function updateTrail(view) {
    const {trail} = view.head;
    const hadFocus = trail.contains(document.activeElement);
    const path = [...ancestorsOf(view.tree, view.zoomed), view.zoomed];
    const left = Math.max(0, path.length - MOST_CRUMBS);
    trail.replaceChildren();
    path.forEach(function (node, i) {
        if (i > 0 && i <= left)
            return;
        if (i > 0)
            makeText('span', 'between', left > 0 && i === left + 1 ? `› … (${left}) ›` : '›', trail);
        makeCrumb(view, node, i === path.length - 1);
    });
    if (hadFocus)
        trail.lastChild.focus();
}

const SAID_OF_FILTERS = {hide: 'Hidden', focus: 'Only stacks with', exclude: 'Without stacks of'};

function filterText({operation, scope, key}) {
    return `${SAID_OF_FILTERS[operation]} ${scope === 'frame' ? '' : `${scope} `}${brief(key, 60)}`;
}

/* What the picture leaves out, with a way to bring it back. */
function updateNotes(view) {
    const {notes} = view.head;
    notes.replaceChildren();
    const group = groupOf(view, view.state.threads);
    if (group)
        makeNote(view, `Only ${brief(group.name, 60)}`, () => change(view, {threads: view.initial.threads}));
    view.state.filters.forEach((filter, i) => makeNote(view, filterText(filter), () =>
        change(view, {filters: view.state.filters.filter((other, j) => j !== i)})));
    const left = view.allSamples - totalOf(view.tree, ROOT);
    if (left > 0)
        makeText('span', 'left-out', `${percent(left, view.allSamples)} of all samples left out`, notes);
}

function makeNote(view, text, onClick) {
    const note = makeText('span', 'note', text, view.head.notes);
    const button = makeButton('×', note, onClick);
    setAttributes(button, {'aria-label': `Undo: ${text}`, title: 'Undo'});
}

function updateSearch(view) {
    const {matches, tree, zoomed, head} = view;
    const {input, buttons, matched, error} = head;
    if (input.value !== view.state.search)
        input.value = view.state.search;
    const text = matches && matches.error ? `${matches.error}: taken as plain text` : '';
    if (error.textContent !== text)
        error.textContent = text;
    input.setAttribute('aria-invalid', text ? 'true' : 'false');
    for (const button of buttons)
        button.disabled = !matches || matches.count === 0;
    if (!matches) {
        matched.textContent = '';
        return;
    }
    const share = (top) => percent(matchedSamples(tree, matches, top), totalOf(tree, top));
    const place = matches.at < 0 ? counted(matches.count, 'frame') :
        `${(matches.at + 1).toLocaleString('en-US')} of ${matches.count.toLocaleString('en-US')}`;
    matched.textContent = `${place}, matched ${share(ROOT)}${zoomed === ROOT ? '' : `, ${share(zoomed)} of zoomed`}`;
}

/* After a drawing, which tells how many boxes are too narrow. */
function updateFacts(view) {
    const narrow = view.narrow > 0 ? `; ${counted(view.narrow, 'frame')} too narrow to draw` : '';
    view.head.facts.textContent = view.info.facts + narrow;
}

/* The head's height depends on how its lines break. Returns whether it is another than before. */
function measureHead(view) {
    const {group, holder, content} = view.head;
    holder.setAttribute('width', view.width);
    content.classList.toggle('compact', view.width < COMPACT.width || window.innerHeight < COMPACT.height);
    fitTitle(view);
    const height = Math.ceil(content.getBoundingClientRect().height);
    const isChanged = height + HEAD_GAP !== view.top;
    view.top = height + HEAD_GAP;
    holder.setAttribute('height', height);
    group.firstChild.setAttribute('height', height);
    return isChanged;
}

function updateHead(view) {
    updateViews(view);
    updateLegend(view);
    updateTrail(view);
    updateNotes(view);
    updateSearch(view);
}
