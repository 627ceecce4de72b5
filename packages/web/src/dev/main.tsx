import '@fontsource-variable/inter/wght.css'
import '@fontsource-variable/jetbrains-mono/wght.css'
import '../styles.css'
import { createRoot } from 'react-dom/client'
import { App } from '../app/app.tsx'
import { createServices } from '../app/create-services.ts'
import { takeFragment } from '../lib/fragment.ts'
import { previewInvite } from './preview-invite.ts'
import type { Scene } from './scripted-client.ts'
import { createScriptedClient } from './scripted-client.ts'

// The preview: the page over a scripted client. Never part of the build.
const query = new URLSearchParams(location.search)
// Safe: an unknown scene behaves like `app`.
const scene = (query.get('scene') ?? 'app') as Scene
const fragment = takeFragment(location, history)
const { client, pageSession } = createScriptedClient(scene, Date.now())
const shown =
	scene === 'setup'
		? { setupSecret: crypto.randomUUID(), invite: previewInvite() }
		: query.has('invite')
			? { invite: previewInvite() }
			: fragment
const container = document.getElementById('root')
const services = createServices({ client, pageSession, fragment: shown })
if (container !== null) createRoot(container).render(<App services={services} />)
// A scene that no click leads to.
window.addEventListener('preview-expire', () => {
	pageSession.resume = () => Promise.resolve(undefined)
	void services.account.expire()
})
