import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const dist = resolve(import.meta.dirname, '../dist');
const assets = readdirSync(join(dist, 'assets'));
const text = (name: string) => readFileSync(join(dist, 'assets', name), 'utf8');
const kilobyte = 1024;

/** A script and everything that it imports before it runs. */
function withImports(name: string, known = new Set<string>()): Set<string> {
  if (known.has(name)) return known;
  known.add(name);
  for (const [, imported = ''] of text(name).matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g))
    withImports(imported, known);
  return known;
}

/** What a page loads before somebody who is signed in can use it; the SDK asks for its storage and its calls at once. */
function firstLoad(page: string): Set<string> {
  const html = readFileSync(join(dist, page), 'utf8');
  const named = [...html.matchAll(/(?:src|href)="\/assets\/([\w.-]+\.js)"/g)].map(([, name = '']) => name);
  const ofSdk = assets.filter((name) => /^(indexeddb|people|actions)-[\w-]{8}\.js$/.test(name));
  const all = new Set<string>();
  for (const name of [...named, ...ofSdk]) withImports(name, all);
  return all;
}

test('the first load has at most 150 kB of compressed scripts', () => {
  for (const page of ['index.html', 'embed.html']) {
    const scripts = [...firstLoad(page)];
    const bytes = scripts.reduce((sum, name) => sum + gzipSync(text(name), { level: 9 }).length, 0);
    assert.ok(bytes > 30 * kilobyte, `${page}: only ${bytes} bytes were found`);
    assert.ok(bytes <= 150 * kilobyte, `${page}: ${bytes} bytes: ${scripts.join(', ')}`);
  }
});

test('settings, emoji and pictures in full size come when they are asked for', () => {
  const first = firstLoad('index.html');
  for (const part of ['settings-screen', 'emoji-picker', 'lightbox', 'people-screen', 'details-panel']) {
    const chunk = assets.find((name) => name.startsWith(`${part}-`) && name.endsWith('.js'));
    assert.ok(chunk !== undefined && !first.has(chunk), part);
  }
});

test('no page holds a script or a style of its own, which the policy would refuse', () => {
  for (const page of ['index.html', 'embed.html']) {
    const html = readFileSync(join(dist, page), 'utf8');
    assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)[^>]*>|<style|\son\w+=|\sstyle=/);
  }
});
