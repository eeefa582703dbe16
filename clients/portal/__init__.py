"""The demo portal: one small relying party, run once per portal manifest.

Invariants: a page that needs a person redirects to /sign-in and comes back; what a person may see is decided by
`entitlements` as received, never by the address they typed; the tokens never reach the browser.
"""
