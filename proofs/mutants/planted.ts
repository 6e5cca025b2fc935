/** Loaded before tests (`--import`): one module has a bug in it, which the environment names. */
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Planting, plantingVariable } from './tested.ts';

const { url, at, was, is }: Planting = JSON.parse(process.env[plantingVariable] ?? '{}');

registerHooks({
  load(address, context, next) {
    if (address !== url) return next(address, context);
    const text = readFileSync(fileURLToPath(url), 'utf8');
    const source = stripTypeScriptTypes(text.slice(0, at) + is + text.slice(at + was.length));
    return { format: 'module', shortCircuit: true, source };
  },
});
