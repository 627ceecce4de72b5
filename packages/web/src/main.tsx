import '@fontsource-variable/inter/wght.css'
import '@fontsource-variable/jetbrains-mono/wght.css'
import './styles.css'
import { openBrowserClient } from '@sallyport/client/browser'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { createServices } from './app/create-services.ts'
import { pageOrigin, takeFragment } from './lib/fragment.ts'
import { toProblem } from './lib/problem.ts'
import { Insecure, NoKeys } from './screens/boot.tsx'

// Before anything else runs: one-use secrets leave the address bar at once.
const fragment = takeFragment(location, history)
const container = document.getElementById('root')
if (container === null) throw new Error('page has no root element')
const root = createRoot(container)

if (window.isSecureContext) {
	openBrowserClient({ origin: pageOrigin(document.baseURI) }).then(
		({ client, page }) => root.render(<App services={createServices({ client, pageSession: page, fragment })} />),
		(error: unknown) => root.render(<NoKeys reason={toProblem(error).message} />),
	)
} else root.render(<Insecure host={location.host} />)
