import { createMemorySocketPair } from '@sallyport/testkit'
import { messageSocketSuite } from './message-socket-suite.ts'

messageSocketSuite(
	'a socket in memory',
	async () => {
		const { left, right, cut } = createMemorySocketPair()
		return { near: left, far: right, dispose: cut }
	},
	{ canPause: true, droppedCode: 1006 },
)
