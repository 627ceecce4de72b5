/** What a unit is made of. */
export interface UnitOptions {
	/** A service of this user (`systemctl --user`), or of the system, run as `user`. */
	readonly scope: { readonly kind: 'user' } | { readonly kind: 'system'; readonly user: string }
	/** Program and arguments, absolute. */
	readonly command: readonly string[]
	readonly dataDir: string
	/** File of `NAME=value` lines with more settings; it may be missing. */
	readonly environmentFile?: string
}

export const UNIT_NAME = 'sally-agent.service'

/**
 * The text of the systemd unit. It is hardened where that takes nothing from the shells that run under it: they are the
 * user's own and must be able to do what the user can, `sudo` included, so no namespace, capability or syscall filter.
 */
export function unitText(options: UnitOptions): string {
	const isSystem = options.scope.kind === 'system'
	const lines = [
		'# Written by `sally agent install`, which writes it anew: put changes into a drop-in (systemctl edit).',
		'[Unit]',
		'Description=Sallyport agent',
		'Wants=network-online.target',
		'After=network-online.target',
		'StartLimitIntervalSec=0',
		'',
		'[Service]',
		'Type=exec',
		`ExecStart=${options.command.map(quoted).join(' ')}`,
		'ExecReload=/bin/kill -HUP $MAINPID',
		`Environment=${quoted(`DATA_DIR=${options.dataDir}`)}`,
		...(options.environmentFile === undefined ? [] : [`EnvironmentFile=-${path(options.environmentFile)}`]),
		...(options.scope.kind === 'system' ? [`User=${options.scope.user}`] : []),
		'Restart=always',
		'RestartSec=5',
		'KillMode=mixed',
		'TimeoutStopSec=15',
		'UMask=0077',
		'LockPersonality=yes',
		'OOMPolicy=continue',
		'LimitCORE=0',
		'LimitNOFILE=65536',
		'',
		'[Install]',
		`WantedBy=${isSystem ? 'multi-user.target' : 'default.target'}`,
		'',
	]
	return lines.join('\n')
}

/** One word of a unit's command or environment, whatever is in it: quotes, specifiers and variables stay text. */
export function quoted(word: string): string {
	if (/[\n\r\0]/.test(word)) throw new RangeError('a word of a unit holds no line break')
	return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`
}

function path(text: string): string {
	if (/[\n\r\0]/.test(text)) throw new RangeError('a path of a unit holds no line break')
	return text.replaceAll('%', '%%')
}
