/** What one run owns: a temporary folder and the programs in it, all gone when the run ends. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Home, Scope } from '../../test/e2e/harness/scope.ts'

export function openScope(): Scope {
	const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
	const undos: (() => void | Promise<void>)[] = []
	const logs: { readonly name: string; readonly read: () => string }[] = []
	return {
		folder,
		defer: (undo) => void undos.push(undo),
		addLog: (name, read) => void logs.push({ name, read }),
		logs: () => logs.map(({ name, read }) => `---- ${name}\n${read()}`).join('\n'),
		async close() {
			for (let undo = undos.pop(); undo !== undefined; undo = undos.pop())
				await Promise.resolve(undo()).catch((error: unknown) => console.error('clean-up failed', error))
			rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
		},
	}
}

/** A home of its own: nothing is read from, or left in, the real one. */
export function makeHome(scope: Scope, name: string): Home {
	const folder = join(scope.folder, name)
	const below = (path: string): string => {
		mkdirSync(join(folder, path), { recursive: true, mode: 0o700 })
		return join(folder, path)
	}
	return {
		folder,
		env: {
			HOME: below('.'),
			XDG_CONFIG_HOME: below('config'),
			XDG_DATA_HOME: below('data'),
			XDG_STATE_HOME: below('state'),
			XDG_RUNTIME_DIR: below('run'),
			PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
			LANG: 'C.UTF-8',
			TERM: 'xterm-256color',
			SHELL: '/bin/bash',
			NO_COLOR: '1',
		},
	}
}
