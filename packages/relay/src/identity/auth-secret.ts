import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, lstatSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const FILE = 'auth.secret'
const SECRET_SHAPE = /^[A-Za-z0-9_-]{43}$/

/**
 * The key that signs sign-in cookies, made at the first start. It is a file and not a row, so that a stolen database
 * holds nothing that works as a cookie. Relays that share one PostgreSQL must share this file. Throws when the file is
 * damaged, or can be read by others.
 */
export function loadAuthSecret(dataDir: string): string {
	const path = join(dataDir, FILE)
	mkdirSync(dataDir, { recursive: true, mode: 0o700 })
	const draft = join(dataDir, `${FILE}.${process.pid}.${randomBytes(4).toString('hex')}`)
	const file = openSync(draft, 'wx', 0o600)
	try {
		writeSync(file, `${randomBytes(32).toString('base64url')}\n`)
		fsyncSync(file)
		// A link either makes the file whole or finds it there: two starts at once end up with the same one.
		linkSync(draft, path)
	} catch (failure) {
		if (!(failure instanceof Error && 'code' in failure && failure.code === 'EEXIST')) throw failure
	} finally {
		closeSync(file)
		rmSync(draft, { force: true })
	}
	return readSecret(path)
}

function readSecret(path: string): string {
	const facts = lstatSync(path)
	if (!facts.isFile()) throw new Error(`${path} is not a plain file: remove it, and start again to have a new one made`)
	if ((facts.mode & 0o077) !== 0)
		throw new Error(`${path} can be read by other users of this machine: run chmod 600 on it, or remove it to sign everybody out`)
	const secret = readFileSync(path, 'utf8').trim()
	if (!SECRET_SHAPE.test(secret)) throw new Error(`${path} is damaged: restore it, or remove it, which signs everybody out`)
	return secret
}
