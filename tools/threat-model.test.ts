import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/** `` `path.test.ts`: name of the test``, up to the next one or the end of the cell. */
const CLAIM = /`([^`]+\.test\.tsx?)`: (.+?)(?=<br>| \|$)/gm
const claims = [...readFileSync('docs/threat-model.md', 'utf8').matchAll(CLAIM)].map(([, file = '', name = '']) => ({
	file,
	name,
}))

it('the threat model names tests that are there', () => {
	expect(claims.length).toBeGreaterThan(50)
	const missing = claims.filter(({ file, name }) => !existsSync(file) || !readFileSync(file, 'utf8').includes(name))
	expect(missing).toEqual([])
})
