// One case in Node, spoken to in lines: see ../worker.py, whose protocol this is.
import { readFileSync, readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const from = createRequire(path.join(process.env.BENCH_NODE, 'package.json'));
const load = async (name) => import(pathToFileURL(from.resolve(name)).href);
const text = (name) => readFileSync(path.join(HERE, name), 'utf8');

const CASES = {
  async jsonata_js() {
    const jsonata = (await load('jsonata')).default;
    const task = jsonata(text('prescription.jsonata'));
    return async (body) => JSON.stringify(await task.evaluate(JSON.parse(body)));
  },
  async fumifier() {
    const held = await load('fumifier');
    const fumifier = [held.fumifier, held.default, held.default?.default, held.default?.fumifier].find((f) => typeof f === 'function');
    const task = await fumifier(text('prescription.jsonata'));
    return async (body) => JSON.stringify(await task.evaluate(JSON.parse(body)));
  },
};

const say = (value) => writeSync(1, JSON.stringify(value) + '\n');
const hear = () => {
  const one = Buffer.alloc(1);
  let line = '';
  while (readSync(0, one, 0, 1, null) === 1) {
    if (one[0] === 10) return line;
    line += one.toString();
  }
  return '';
};

const body = readFileSync(path.join(HERE, '..', 'input.json'));
const task = await CASES[process.argv[2]]();
say({ output: JSON.parse(await task(body)) });
for (let line = hear(); line; line = hear()) {
  const end = performance.now() + 1000 * Number(line);
  const start = performance.now();
  let count = 0;
  do {
    for (let k = 0; k < 20; k++) await task(body);
    count += 20;
  } while (performance.now() < end);
  say({ count, seconds: (performance.now() - start) / 1000 });
}
