import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** The packages that a module loads, through all of its own files; imports of types load nothing. */
function packagesLoadedBy(file: string, seen = new Set<string>()): ReadonlySet<string> {
	if (seen.has(file)) return new Set()
	seen.add(file)
	const text = readFileSync(file, 'utf8')
	const specifiers = [...text.matchAll(/^(?:import|export) (?!type\b)[^'"]*?from '([^']+)'/gm)].map((match) => match[1] ?? '')
	const loaded = specifiers.flatMap((name) =>
		name.startsWith('.') ? [...packagesLoadedBy(join(dirname(file), name), seen)] : [name],
	)
	return new Set(loaded)
}

describe('the check of tokens', () => {
	it('loads no auth framework, in itself and in the queries it makes', () => {
		const loaded = ['authenticate.ts', '../store/store.ts'].flatMap((name) => [
			...packagesLoadedBy(join(import.meta.dirname, name)),
		])
		expect(loaded).toContain('kysely')
		expect(loaded).toContain('node:crypto')
		expect(loaded.filter((name) => /auth|oauth|oidc|jose/.test(name))).toEqual([])
	})

	it('finds the framework where it is', () => {
		expect([...packagesLoadedBy(join(import.meta.dirname, 'auth.ts'))]).toContain('better-auth')
	})
})
