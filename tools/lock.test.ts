import { describe, expect, it } from 'vitest'
import { missingOptional } from './lock.mjs'

const parent = { version: '1.0.0', dev: true, optionalDependencies: { '@a/linux-arm64-musl': '1.0.0' } }

describe('missingOptional', () => {
	it('names what has no entry, with its platform', () => {
		expect(missingOptional({ 'node_modules/a': parent })).toEqual([
			{
				path: 'node_modules/@a/linux-arm64-musl',
				by: 'node_modules/a',
				entry: { version: '1.0.0', cpu: ['arm64'], dev: true, libc: ['musl'], optional: true, os: ['linux'] },
			},
		])
	})

	it.each(['node_modules/@a/linux-arm64-musl', 'node_modules/b/node_modules/@a/linux-arm64-musl'])('finds %s', (path) => {
		expect(missingOptional({ 'node_modules/b/node_modules/a': parent, [path]: { version: '1.0.0' } })).toEqual([])
	})

	it('leaves ranges alone: npm resolves those', () => {
		expect(missingOptional({ 'node_modules/a': { optionalDependencies: { b: '^1.0.0' } } })).toEqual([])
	})
})
