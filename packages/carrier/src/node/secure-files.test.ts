import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadSealingKey } from './sealed-files.ts'
import { openPrivateDirectory } from './secure-files.ts'

let root: string
beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), 'sally-files-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value)

describe('private directory', () => {
	it('makes folders 0700 and files 0600', async () => {
		const directory = await openPrivateDirectory(join(root, 'a', 'b'))
		await directory.replace('x.json', bytes('one'))
		expect((await stat(join(root, 'a', 'b'))).mode & 0o777).toBe(0o700)
		expect((await stat(join(root, 'a', 'b', 'x.json'))).mode & 0o777).toBe(0o600)
		expect(text(await directory.read('x.json', 100))).toBe('one')
		expect(await directory.read('missing', 100)).toBeUndefined()
	})

	it('replaces a file whole and leaves nothing else behind', async () => {
		const directory = await openPrivateDirectory(root)
		await directory.replace('x', bytes('a long first value'))
		await directory.replace('x', bytes('short'))
		expect(text(await directory.read('x', 100))).toBe('short')
		expect(await readdir(root)).toEqual(['x'])
	})

	it.each([
		['readable_by_others', (path: string) => chmod(path, 0o640)],
		['symlink', (path: string) => rm(path).then(() => symlink('/etc/hostname', path))],
		['not_a_file', (path: string) => rm(path).then(() => mkdir(path, { mode: 0o700 }))],
		['file_too_large', (path: string) => writeFile(path, 'x'.repeat(200))],
	])('refuses a file: %s', async (code, spoil) => {
		const directory = await openPrivateDirectory(root)
		await directory.replace('x', bytes('value'))
		await spoil(join(root, 'x'))
		await expect(directory.read('x', 100)).rejects.toMatchObject({ code, path: join(root, 'x') })
	})

	it.runIf(process.getuid?.() === 0)('refuses a file and a folder of another user', async () => {
		const directory = await openPrivateDirectory(join(root, 'd'))
		await directory.replace('x', bytes('value'))
		await chown(join(root, 'd', 'x'), 65534, 65534)
		await expect(directory.read('x', 100)).rejects.toMatchObject({ code: 'foreign_owner' })
		await chown(join(root, 'd'), 65534, 65534)
		await expect(openPrivateDirectory(join(root, 'd'))).rejects.toMatchObject({ code: 'foreign_owner' })
	})

	it('refuses a folder that others can enter, a symlink to one, and a file in its place', async () => {
		await mkdir(join(root, 'open'), { mode: 0o755 })
		await expect(openPrivateDirectory(join(root, 'open'))).rejects.toMatchObject({ code: 'readable_by_others' })
		await symlink(join(root, 'open'), join(root, 'link'))
		await expect(openPrivateDirectory(join(root, 'link'))).rejects.toMatchObject({ code: 'symlink' })
		await writeFile(join(root, 'file'), '')
		await expect(openPrivateDirectory(join(root, 'file'))).rejects.toMatchObject({ code: 'not_a_folder' })
	})

	it('replaces a planted symlink rather than writing through it', async () => {
		const directory = await openPrivateDirectory(join(root, 'd'))
		await writeFile(join(root, 'victim'), 'untouched')
		await symlink(join(root, 'victim'), join(root, 'd', 'x'))
		await directory.replace('x', bytes('value'))
		expect(await readFile(join(root, 'victim'), 'utf8')).toBe('untouched')
		expect(text(await directory.read('x', 100))).toBe('value')
		await symlink(join(root, 'victim'), join(root, 'd', 'log'))
		await expect(directory.appendLine('log', 'line')).rejects.toMatchObject({ code: 'symlink' })
	})

	it('keeps what it sets aside', async () => {
		const directory = await openPrivateDirectory(root)
		await directory.replace('x', bytes('broken'))
		const aside = await directory.setAside('x')
		expect(aside).toMatch(/^x\.corrupt-/)
		expect(await directory.read('x', 100)).toBeUndefined()
		expect(text(await directory.read(aside, 100))).toBe('broken')
	})

	it('appends lines and ends one that a crash left torn', async () => {
		const directory = await openPrivateDirectory(root)
		await directory.appendLine('log', 'one')
		await writeFile(join(root, 'log'), 'one\ntw', { mode: 0o600 })
		await directory.appendLine('log', 'three')
		expect(text(await directory.read('log', 100))).toBe('one\ntw\nthree\n')
	})

	it('removes temporary files of a crash, but not those of a write under way', async () => {
		await openPrivateDirectory(root)
		await writeFile(join(root, 'x.0123456789ab.tmp'), '', { mode: 0o600 })
		await writeFile(join(root, 'y.0123456789ab.tmp'), '', { mode: 0o600 })
		const old = new Date(Date.now() - 120_000)
		await utimes(join(root, 'x.0123456789ab.tmp'), old, old)
		await openPrivateDirectory(root)
		expect(await readdir(root)).toEqual(['y.0123456789ab.tmp'])
	})

	it.each(['../x', '/etc/passwd', '.hidden', '', 'a/b', 'a\0b'])('takes no name like %j', async (name) => {
		const directory = await openPrivateDirectory(root)
		expect(() => directory.read(name, 10)).toThrow(RangeError)
	})
})

describe('sealing key', () => {
	it('opens what it sealed, after a restart too, and for the same purpose alone', async () => {
		const directory = await openPrivateDirectory(root)
		const key = await loadSealingKey({ directory })
		const sealed = key.seal('identity', bytes('a secret'))
		expect(key.source).toBe('key_file')
		expect(text(sealed)).not.toContain('a secret')
		const again = await loadSealingKey({ directory })
		expect(text(again.open('identity', sealed))).toBe('a secret')
		expect(again.open('sessions', sealed)).toBeUndefined()
	})

	it('opens nothing that was truncated or has a flipped bit', async () => {
		const key = await loadSealingKey({ directory: await openPrivateDirectory(root) })
		const sealed = key.seal('p', bytes('value'))
		for (let length = 0; length < sealed.length; length++) expect(key.open('p', sealed.subarray(0, length))).toBeUndefined()
		for (let index = 0; index < sealed.length; index++) {
			const altered = sealed.slice()
			altered[index] = (altered[index] ?? 0) ^ 1
			expect(key.open('p', altered)).toBeUndefined()
		}
	})

	it('prefers a systemd credential, then a passphrase, and writes no key file for them', async () => {
		const directory = await openPrivateDirectory(join(root, 'd'))
		await writeFile(join(root, 'sallyport-key'), 'credential text', { mode: 0o400 })
		await writeFile(join(root, 'pass'), 'correct horse\n', { mode: 0o600 })
		const credential = await loadSealingKey({ directory, credentialsDirectory: root, passphraseFile: join(root, 'pass') })
		expect(credential.source).toBe('credential')
		const passphrase = await loadSealingKey({ directory, passphraseFile: join(root, 'pass') })
		expect(passphrase.source).toBe('passphrase')
		const sealed = passphrase.seal('p', bytes('value'))
		expect(text((await loadSealingKey({ directory, passphraseFile: join(root, 'pass') })).open('p', sealed))).toBe('value')
		await writeFile(join(root, 'pass'), 'wrong')
		expect((await loadSealingKey({ directory, passphraseFile: join(root, 'pass') })).open('p', sealed)).toBeUndefined()
		expect(await readdir(join(root, 'd'))).toEqual(['sealing.salt'])
	})
})
