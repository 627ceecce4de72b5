// Runs before the first paint, so that a chosen theme never flashes the other one. Its own file: the page has no inline script.
;(() => {
	let choice = 'system'
	try {
		choice = JSON.parse(localStorage.getItem('sallyport.settings') ?? '{}').theme ?? 'system'
	} catch {
		// Storage may be barred or damaged: the system's theme is a good answer.
	}
	const dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
	document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
