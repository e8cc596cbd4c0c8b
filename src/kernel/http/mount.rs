//! Mounting resources without losing any of their documentation.
use utoipa_axum::router::OpenApiRouter;

/// Mounts a resource's router under its path.
pub trait Mount {
    /// Nests `resource`, refusing a schema name that already means something else: merging would
    /// silently keep one of the two.
    #[must_use]
    fn mount(self, path: &str, resource: Self) -> Self;
}

impl<S: Clone + Send + Sync + 'static> Mount for OpenApiRouter<S> {
    fn mount(self, path: &str, resource: Self) -> Self {
        let (ours, theirs) = (self.get_openapi(), resource.get_openapi());
        if let (Some(ours), Some(theirs)) = (&ours.components, &theirs.components) {
            for (name, schema) in &theirs.schemas {
                assert!(
                    ours.schemas.get(name).is_none_or(|known| known == schema),
                    "{path}: schema `{name}` is already taken by another resource"
                );
            }
        }
        self.nest(path, resource)
    }
}
