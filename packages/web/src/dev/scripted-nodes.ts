import type { DeviceSessionInfo, NodeId, NodeInfo, TerminalInfo } from '@sallyport/protocol'
import { deviceIdFromHash, nodeIdFromHash, sessionIdSchema, terminalIdSchema, userIdSchema } from '@sallyport/protocol'
import { parse } from 'valibot'

/** Machines of the preview: invented, for pictures and component tests alone. */
const GIB = 1024 ** 3
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const ada = {
	id: parse(userIdSchema, 'user_ada_0001'),
	email: 'ada@example.com',
	username: 'ada',
	roles: ['owner', 'admin', 'user'],
} as const

export function idOf(seed: string): NodeId {
	return nodeIdFromHash(bytesOf(seed))
}

export function bytesOf(seed: string): Uint8Array {
	let state = 2166136261
	return Uint8Array.from({ length: 32 }, (_, index) => {
		for (const char of `${seed}${index}`) state = Math.imul(state ^ char.charCodeAt(0), 16777619)
		return (state >>> 11) & 0xff
	})
}

interface Draft {
	readonly name: string
	readonly os: string
	readonly cpus: number
	readonly load: number
	readonly memory: readonly [usedGib: number, totalGib: number]
	readonly disk: readonly [usedGib: number, totalGib: number]
	readonly upDays: number
	readonly latency: number
	readonly links?: number
	readonly offline?: { readonly reason: NonNullable<NodeInfo['offline_reason']>; readonly agoMs: number }
}

const DRAFTS: readonly Draft[] = [
	{
		name: 'build-box',
		os: 'Debian 12, x64',
		cpus: 8,
		load: 3.41,
		memory: [21.3, 32],
		disk: [310, 480],
		upDays: 41,
		latency: 2,
		links: 2,
	},
	{
		name: 'db-primary',
		os: 'Debian 12, x64',
		cpus: 16,
		load: 1.92,
		memory: [108, 128],
		disk: [1640, 1780],
		upDays: 213,
		latency: 11,
		links: 1,
	},
	{ name: 'edge-fra-1', os: 'Ubuntu 24.04, x64', cpus: 2, load: 0.18, memory: [0.9, 4], disk: [11, 40], upDays: 12, latency: 24 },
	{
		name: 'garage-pi',
		os: 'Raspberry Pi OS 12, arm64',
		cpus: 4,
		load: 0.52,
		memory: [1.1, 7.8],
		disk: [19, 58],
		upDays: 6,
		latency: 38,
	},
	{
		name: 'gpu-lab',
		os: 'Ubuntu 22.04, x64',
		cpus: 32,
		load: 27.6,
		memory: [188, 256],
		disk: [5200, 7400],
		upDays: 3,
		latency: 7,
		links: 1,
	},
	{
		name: 'nas',
		os: 'Fedora 41, x64',
		cpus: 4,
		load: 0,
		memory: [0, 16],
		disk: [0, 8000],
		upDays: 0,
		latency: 0,
		offline: { reason: 'lost', agoMs: 3 * MINUTE },
	},
	{
		name: 'old-laptop',
		os: 'Arch Linux, x64',
		cpus: 4,
		load: 0,
		memory: [0, 8],
		disk: [0, 256],
		upDays: 0,
		latency: 0,
		offline: { reason: 'version_too_old', agoMs: 9 * DAY },
	},
]

export function draftNodes(nowMs: number): readonly NodeInfo[] {
	return DRAFTS.map((draft) => ({
		id: idOf(draft.name),
		name: draft.name,
		owner: { id: ada.id, username: ada.username },
		created_at: nowMs - 90 * DAY,
		connected: draft.offline === undefined,
		connected_at: nowMs - 26 * HOUR,
		last_seen_at: nowMs - (draft.offline?.agoMs ?? 0),
		...(draft.offline === undefined ? {} : { offline_reason: draft.offline.reason }),
		hostname: `${draft.name}.internal`,
		os: draft.os,
		agent_version: draft.offline?.reason === 'version_too_old' ? '0.0.9' : '0.1.0',
		...(draft.offline === undefined ? { latency_ms: draft.latency, stats: statsOf(draft) } : {}),
		links: draft.links ?? 0,
		access: 'admin',
	}))
}

function statsOf(draft: Draft): NonNullable<NodeInfo['stats']> {
	return {
		cpus: draft.cpus,
		load1: draft.load,
		load5: draft.load * 0.9,
		load15: draft.load * 0.8,
		memory_used: draft.memory[0] * GIB,
		memory_total: draft.memory[1] * GIB,
		disk_used: draft.disk[0] * GIB,
		disk_total: draft.disk[1] * GIB,
		uptime_s: draft.upDays * 86_400 + 5000,
		processes: 214,
	}
}

export function draftDevices(nowMs: number): readonly DeviceSessionInfo[] {
	const device = (name: string, fields: Partial<DeviceSessionInfo>): DeviceSessionInfo => ({
		session_id: parse(sessionIdSchema, `session_${name.replace(/\W/g, '_')}`.slice(0, 60)),
		device_id: deviceIdFromHash(bytesOf(name)),
		device_name: name,
		user: 'ada',
		capabilities: ['shell', 'exec', 'files', 'forward', 'approve'],
		created_at: nowMs - 20 * DAY,
		last_seen_at: nowMs - 4 * HOUR,
		idle_expires_at: nowMs + 7 * DAY,
		absolute_expires_at: nowMs + 70 * DAY,
		paired_by: 'approve',
		address: '192.0.2.14',
		connected: false,
		current: false,
		...fields,
	})
	return [
		device('Chromium on Linux', { current: true, connected: true, paired_by: 'invite' }),
		device('sally on thinkpad', { connected: true }),
		device('Safari on iPhone', {}),
	]
}

export function draftTerminals(nowMs: number): readonly TerminalInfo[] {
	return [
		{
			terminal_id: parse(terminalIdSchema, 'terminal_0001'),
			name: 'ada: ~/gate',
			kind: 'shell',
			created_at: nowMs - 2 * HOUR,
			cols: 120,
			rows: 34,
			attached: 1,
		},
		{
			terminal_id: parse(terminalIdSchema, 'terminal_0002'),
			name: 'make -j8',
			kind: 'shell',
			created_at: nowMs - 9 * HOUR,
			cols: 80,
			rows: 24,
			attached: 0,
		},
	]
}

/** A refusal, with the code and message that the real client gives. */
export function fail(code: string, message: string): Promise<never> {
	return Promise.reject(Object.assign(new Error(message), { code }))
}
