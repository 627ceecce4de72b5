/** Which machine, and what on it matters to the figures. */
import { spawnSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem, type } from 'node:os'

export function machineFacts(): readonly string[] {
	const [cpu] = cpus()
	const ssh = spawnSync('ssh', ['-V'], { encoding: 'utf8' }).stderr.trim()
	const [load = 0] = loadavg()
	return [
		`${cpus().length} x ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 1024 ** 3)} GiB, ${type()} ${release()}`,
		`Node ${process.versions.node}, ${ssh}; all on this machine, over loopback; load before the run ${load.toFixed(2)}`,
	]
}
