const BROWSERS = [
	['Edge', /\bEdg(A|iOS)?\//],
	['Opera', /\bOPR\//],
	['Samsung Internet', /\bSamsungBrowser\//],
	['Firefox', /\b(Firefox|FxiOS)\//],
	['Chromium', /\bChromium\//],
	['Chrome', /\b((Headless)?Chrome|CriOS)\//],
	['Safari', /\bSafari\//],
] as const
const SYSTEMS = [
	['iOS', /\b(iPhone|iPad|iPod)\b/],
	['Android', /\bAndroid\b/],
	['ChromeOS', /\bCrOS\b/],
	['Windows', /\bWindows\b/],
	['macOS', /\bMac OS X\b/],
	['Linux', /\bLinux\b/],
] as const

/** A name by which people know their browser again; a claim of the browser, never a ground for a decision. */
export function describeUserAgent(userAgent: string): string {
	const browser = BROWSERS.find(([, pattern]) => pattern.test(userAgent))?.[0] ?? 'Browser'
	const system = SYSTEMS.find(([, pattern]) => pattern.test(userAgent))?.[0]
	return system === undefined ? browser : `${browser} on ${system}`
}
