import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

test('the running Node knows the flag that the collector is tuned by', () => {
	const { stdout, status } = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })
	expect(status).toBe(0)
	expect(stdout).toContain('--heap-growing-percent')
})
