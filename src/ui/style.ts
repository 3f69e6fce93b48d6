import { createHash } from 'node:crypto'

/**
 * The one style sheet. No fonts, no pictures, no script: nothing is fetched. Contrast is at least 4.5:1 in both schemes,
 * 3:1 for the borders of inputs.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f3f5f8; --card: #fff; --text: #17202c; --soft: #55606f; --line: #d9dee6; --edge: #838d9b;
  --accent: #1d5fbf; --accent-hover: #174e9e; --on-accent: #fff;
  --bad: #b3261e; --bad-ground: #fdf0ef; --good: #1b6b3a; --good-ground: #eef8f1; --note-ground: #eef3fb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10151c; --card: #19212b; --text: #e7ebf1; --soft: #a3aebd; --line: #2e3947; --edge: #728093;
    --accent: #8ab4f8; --accent-hover: #a9c8fb; --on-accent: #0d1a2b;
    --bad: #ffb4ab; --bad-ground: #3a1f1f; --good: #8ed7a6; --good-ground: #173022; --note-ground: #1d2b40;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; min-height: 100dvh; display: flex; flex-direction: column; align-items: center;
  padding: 2rem 1rem 3rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
header { margin: 1rem 0 1.5rem; display: flex; align-items: center; gap: .6rem; font-weight: 600; font-size: 1.125rem; }
header svg { width: 1.75rem; height: 1.75rem; color: var(--accent); }
main {
  width: 100%; max-width: 26rem; padding: 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 1rem; box-shadow: 0 1px 3px rgb(0 0 0 / 6%), 0 8px 24px rgb(0 0 0 / 5%);
}
main.wide { max-width: 44rem; }
h1 { margin: 0 0 1.25rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 1rem; font-size: 1.125rem; line-height: 1.3; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
main > :last-child { margin-bottom: 0; }
a { color: var(--accent); text-underline-offset: .15em; }
a:hover { color: var(--accent-hover); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.soft { color: var(--soft); }
.field { margin: 0 0 1.125rem; }
label { display: block; margin: 0 0 .35rem; font-weight: 500; }
input:not([type=checkbox], [type=radio]) {
  display: block; width: 100%; min-height: 2.875rem; padding: .6rem .75rem; color: inherit; background: var(--card);
  font: inherit; border: 1px solid var(--edge); border-radius: .5rem;
}
input[readonly] { color: var(--soft); background: var(--ground); border-color: var(--line); }
input[aria-invalid=true] { border: 2px solid var(--bad); }
.check { display: flex; align-items: flex-start; gap: .6rem; }
.check label { margin: 0; font-weight: 400; }
.check input { flex: none; width: 1.15rem; height: 1.15rem; margin: .18rem 0 0; accent-color: var(--accent); }
fieldset { margin: 0 0 1.25rem; padding: 0; border: 0; min-width: 0; }
legend { padding: 0; margin: 0 0 .5rem; font-weight: 500; }
fieldset .check { min-height: 2.25rem; align-items: center; }
fieldset .check input { margin: 0; }
.hint { margin: .35rem 0 0; font-size: .9375rem; color: var(--soft); }
button.later { visibility: hidden; animation: later 0s 30s forwards; }
@keyframes later { to { visibility: visible; } }
.hint.error { color: var(--bad); }
.hint.success { color: var(--good); }
.box { margin: 0 0 1.25rem; padding: .75rem 1rem; border-left: 4px solid var(--accent); border-radius: .375rem; background: var(--note-ground); }
.box p { margin: 0; }
.box.error { border-color: var(--bad); background: var(--bad-ground); }
.box.success { border-color: var(--good); background: var(--good-ground); }
button, .button {
  display: inline-block; min-height: 2.875rem; padding: .6rem 1.1rem; font: inherit; font-weight: 600; line-height: 1.5;
  text-align: center; text-decoration: none; cursor: pointer; border-radius: .5rem;
  color: var(--accent); background: transparent; border: 1px solid var(--edge);
}
button:hover, .button:hover { border-color: var(--accent-hover); color: var(--accent-hover); }
button.main, .button.main { color: var(--on-accent); background: var(--accent); border-color: transparent; }
button.main:hover, .button.main:hover { color: var(--on-accent); background: var(--accent-hover); }
button.danger { color: var(--bad); }
button.danger:hover { color: var(--bad); border-color: var(--bad); }
form + form { margin-top: 1.5rem; }
.stack { display: grid; gap: .75rem; margin: 1.5rem 0 0; }
.stack summary { display: block; }
.stack details[open] > summary { margin: 0 0 .75rem; }
.stack details .button, .stack details button { width: 100%; }
.stack > form, .row > form { display: contents; }
.row { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0 0; }
.aside { margin: 1.5rem 0 0; text-align: center; }
.who { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 1rem; margin: 0 0 1rem; }
.who p { margin: 0; min-width: 0; }
.who strong { display: block; font-size: 1.125rem; overflow-wrap: anywhere; }
.sessions { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
.sessions li {
  display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem;
  padding: 1rem 0; border-bottom: 1px solid var(--line);
}
.sessions h3 { display: flex; flex-wrap: wrap; gap: .25rem .6rem; align-items: center; margin: 0 0 .25rem; font-size: 1rem; }
.sessions .facts { flex: 1 1 16rem; min-width: 0; }
.badge { padding: .05rem .55rem; font-size: .8125rem; font-weight: 600; border-radius: 1rem; color: var(--good); background: var(--good-ground); }
dl { display: flex; flex-wrap: wrap; gap: .1rem 1.25rem; margin: 0; font-size: .9375rem; color: var(--soft); }
dl div { min-width: 0; }
dt, dd { display: inline; margin: 0; overflow-wrap: anywhere; }
dt::after { content: ": "; }
code { font: .875rem ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
@media (max-width: 30rem) {
  body { padding: .5rem 0 0; background: var(--card); }
  header { margin: .75rem 0 .25rem; }
  main { padding: 1.25rem 1.25rem 2rem; border: 0; border-radius: 0; box-shadow: none; }
  .row > *, .row button, .who button { flex: 1 1 100%; }
  .who form, .sessions form { flex: 1 1 100%; }
  .sessions button, .who button { width: 100%; }
}
@media (forced-colors: active) {
  main, .box, .badge { border: 1px solid; }
}
`.trim()

const digest = createHash('sha256').update(STYLE).digest()

/** For `style-src`, where the style is in the page itself. */
export const STYLE_SOURCE = `'sha256-${digest.toString('base64')}'`

/** Part of its address, so that it may be cached for ever. */
export const STYLE_VERSION = digest.toString('hex').slice(0, 16)
