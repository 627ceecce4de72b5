import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { installService } from './install-service.ts'
import { quoted, unitText } from './unit.ts'

let folder: string
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'sally-service-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('the systemd unit', () => {
	it('is one that systemd reads without complaint, and is written where systemd looks', async () => {
		const installed = await installService({
			scope: { kind: 'system', user: 'root' },
			command: ['/bin/sh', '-c', 'echo "100%" $HOME'],
			dataDir: '/var/lib/sally port/agent',
			unitFolder: join(folder, 'units'),
			isStarted: false,
		})
		expect(installed).toMatchObject({ path: join(folder, 'units', 'sally-agent.service'), isStarted: false })
		// Undefined only where systemd isn't installed.
		expect([true, undefined]).toContain(installed.isVerified)
		expect(installed.nextSteps).toContain('systemctl enable --now sally-agent.service')
		const text = await readFile(installed.path, 'utf8')
		expect(text).toContain('ExecStart="/bin/sh" "-c" "echo \\"100%%\\" $$HOME"')
		expect(text).toContain('Restart=always')
		expect((await stat(installed.path)).mode & 0o777).toBe(0o644)
	})

	it('is not written when systemd would refuse it', async () => {
		const bad = {
			scope: { kind: 'system', user: 'root' },
			command: ['not/absolute'],
			dataDir: '/x',
			unitFolder: join(folder, 'units'),
			isStarted: false,
		} as const
		await expect(installService(bad)).rejects.toMatchObject({ code: 'service_failed' })
		await expect(stat(join(folder, 'units', 'sally-agent.service'))).rejects.toMatchObject({ code: 'ENOENT' })
	})

	it('takes no line break into a unit', () => {
		expect(() => quoted('a\nExecStartPost=/bin/evil')).toThrow(RangeError)
		expect(() => unitText({ scope: { kind: 'user' }, command: ['/bin/true'], dataDir: 'a\nb' })).toThrow(RangeError)
	})

	it.runIf(process.getuid?.() !== 0)('says what to do where the folder is not writable', async () => {
		await chmod(folder, 0o500)
		const options = {
			scope: { kind: 'user' },
			command: ['/bin/true'],
			dataDir: '/x',
			unitFolder: join(folder, 'units'),
			isStarted: false,
		} as const
		await expect(installService(options)).rejects.toMatchObject({ code: 'service_failed' })
	})
})
