// Addresses start from the page: a proxy may have put a prefix before it. What would ask somebody else for anything is
// switched off, the policy of the page aside.
Scalar.createApiReference('#app', {
  sources: [
    { title: 'App Offerings', slug: 'app-offerings', url: '../openapi/app-offerings.json' },
    { title: 'App Packages', slug: 'app-packages', url: '../openapi/app-packages.json' },
  ],
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
  telemetry: false,
  withDefaultFonts: false,
});
