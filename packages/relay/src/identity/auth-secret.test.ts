import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadAuthSecret } from './auth-secret.ts'

describe('the key of sign-in cookies', () => {
	let dataDir: string
	beforeEach(() => {
		dataDir = mkdtempSync(join(tmpdir(), 'sallyport-secret-'))
	})
	afterEach(() => rmSync(dataDir, { recursive: true, force: true }))
	const file = () => join(dataDir, 'auth.secret')

	it('is made once, for its user alone, and leaves no draft behind', () => {
		const secret = loadAuthSecret(dataDir)
		expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/)
		expect(loadAuthSecret(dataDir)).toBe(secret)
		expect(statSync(file()).mode & 0o777).toBe(0o600)
		expect(readdirSync(dataDir)).toEqual(['auth.secret'])
	})

	it('is refused when others can read it, with what to do', () => {
		loadAuthSecret(dataDir)
		chmodSync(file(), 0o644)
		expect(() => loadAuthSecret(dataDir)).toThrow(/can be read by other users.*chmod 600/)
	})

	it('is refused when damaged, and kept', () => {
		writeFileSync(file(), 'short\n', { mode: 0o600 })
		expect(() => loadAuthSecret(dataDir)).toThrow(/is damaged/)
		expect(statSync(file()).size).toBe(6)
	})

	it('is not read through a link', () => {
		writeFileSync(join(dataDir, 'elsewhere'), `${'A'.repeat(43)}\n`, { mode: 0o600 })
		symlinkSync(join(dataDir, 'elsewhere'), file())
		expect(() => loadAuthSecret(dataDir)).toThrow(/is not a plain file/)
	})
})
