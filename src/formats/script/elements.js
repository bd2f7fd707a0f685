// SPDX-License-Identifier: MIT
/*
 * Elements, and text that fits into a width.
 */

const SVG = 'http://www.w3.org/2000/svg';
const HTML = 'http://www.w3.org/1999/xhtml';
const SMALLEST_LABEL = 3; // columns
const CUT_MIDDLE_FROM = 10; // columns; caption.c has the same rule

function make(namespace, name, attributes, parent) {
    const element = document.createElementNS(namespace, name);
    setAttributes(element, attributes);
    if (parent)
        parent.appendChild(element);
    return element;
}

function setAttributes(element, attributes) {
    for (const key in attributes)
        element.setAttribute(key, attributes[key]);
}

/* An HTML element with a text and a class. */
function makeText(name, className, text, parent) {
    const element = make(HTML, name, className ? {class: className} : {}, parent);
    element.textContent = text;
    return element;
}

function makeButton(text, parent, onClick) {
    const button = make(HTML, 'button', {type: 'button'}, parent);
    button.textContent = text;
    button.addEventListener('click', onClick);
    return button;
}

function makeSelect(label, parent, onChange) {
    const select = make(HTML, 'select', {'aria-label': label, title: label}, parent);
    select.addEventListener('change', () => onChange(select.value));
    return select;
}

function makeOption(select, value, text) {
    const option = make(HTML, 'option', {value}, select);
    option.textContent = text;
    return option;
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

/* The first or last characters of a text, none cut in half. */
function firstOf(text, characters) {
    return Array.from(text.slice(0, 2 * characters)).slice(0, characters).join('');
}

function lastOf(text, characters) {
    return characters ? Array.from(text.slice(-2 * characters)).slice(-characters).join('') : '';
}

function cut(text, columns) {
    const tail = columns < CUT_MIDDLE_FROM ? 0 : Math.floor((columns - 1) / 3);
    return firstOf(text, columns - 1 - tail) + '…' + lastOf(text, tail);
}

/* A command line without the folders of what it names; caption.c has the same rule. */
function withoutFolders(text) {
    return text.replace(/(^| )\/(?:[^ /]*\/)*(?=[^ /])/g, '$1');
}

/* A text for places that hold any width but no megabyte. */
function brief(text, columns) {
    return text.length <= columns ? text : cut(text, columns);
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

/* The label of a box; `suffix` follows the name: "fib ×11". */
function fitLabel(measure, frame, suffix, pixels) {
    if (pixels < SMALLEST_LABEL * measure.column)
        return '';
    if (suffix) {
        const named = frame.name + suffix;
        const label = `${named}${frame.labels[0].slice(frame.name.length)}`;
        return measure.fits(label, false, pixels) ? label : cutToFit(measure, named, false, pixels);
    }
    const label = frame.labels.find((text) => measure.fits(text, frame.isPlain, pixels));
    return label === undefined ? cutToFit(measure, frame.labels.at(-1), frame.isPlain, pixels) : label;
}

/* ---- panels: boxes of HTML that stand above the picture ---- */

function makePanel(parent, className, attributes) {
    const holder = make(SVG, 'foreignObject', {width: 1, height: 1, display: 'none'}, parent);
    holder.setAttribute('class', `panel ${className}-panel`);
    const content = make(HTML, 'div', {class: className, ...attributes}, holder);
    return {holder, content, isShown: false};
}

function hidePanel(panel) {
    panel.holder.setAttribute('display', 'none');
    panel.isShown = false;
}

/* Shows a panel beside a point, inside of an area, all in the picture's own coordinates. */
function showPanel(panel, area, x, y, distance) {
    panel.content.style.maxWidth = `${Math.max(area.right - 24, 100)}px`;
    panel.content.style.maxHeight = `${Math.max(area.bottom - area.top - 8, 60)}px`;
    setAttributes(panel.holder, {display: 'inline', width: area.right, height: area.bottom - area.top});
    const {width, height} = panel.content.getBoundingClientRect();
    const left = Math.max(4, Math.min(x + distance, area.right - width - 4));
    const fitsBelow = y + distance + height <= area.bottom - 4;
    const top = fitsBelow ? y + distance : y - distance - height;
    setAttributes(panel.holder, {
        x: left,
        y: Math.max(area.top + 4, Math.min(top, area.bottom - height - 4)),
        width: Math.ceil(width),
        height: Math.ceil(height),
    });
    panel.isShown = true;
}
