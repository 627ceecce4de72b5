import type { NodeInfo } from '@sallyport/protocol'
import { useCallback } from 'react'
import { useLocation } from 'wouter'
import { useServices } from '../app/services.tsx'

/** Opens a tab and goes there. */
export function useOpenTerminal(): (node: Pick<NodeInfo, 'id' | 'name'>, kind: 'shell' | 'ssh', terminalId?: string) => void {
	const { tabs } = useServices()
	const [, navigate] = useLocation()
	return useCallback(
		(node, kind, terminalId) => {
			tabs.open({ nodeId: node.id, nodeName: node.name, kind, ...(terminalId === undefined ? {} : { terminalId }) })
			navigate('/terminals')
		},
		[tabs, navigate],
	)
}
