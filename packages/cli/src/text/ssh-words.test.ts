import { describe, expect, it } from 'vitest'
import { sshSettingsIn } from './ssh-words.ts'

describe('settings in ssh arguments', () => {
	it.each([
		[['-o', 'StrictHostKeyChecking=yes'], ['stricthostkeychecking']],
		[['-oStrictHostKeyChecking=yes'], ['stricthostkeychecking']],
		[['-o', 'stricthostkeychecking yes'], ['stricthostkeychecking']],
		[['-o', ' ProxyCommand = none'], ['proxycommand']],
		[
			['-4vo', 'CheckHostIP=yes', '-oHostKeyAlias=x'],
			['checkhostip', 'hostkeyalias'],
		],
		[['-p', '22', '-o', 'User=ada', 'echo'], ['user']],
		[['-p', '-oUser=ada'], []],
		[['-i', 'key', 'echo', '-o', 'User=ada'], []],
		[['--', '-oUser=ada'], []],
		[['-o'], []],
		[[], []],
	])('%j', (args, names) => expect([...sshSettingsIn(args)]).toEqual(names))
})
