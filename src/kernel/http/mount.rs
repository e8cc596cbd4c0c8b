//! Mounting resources without losing any of their documentation.
use utoipa::openapi::Components;
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
        fn components<S>(router: &OpenApiRouter<S>) -> Option<&Components>
        where
            S: Clone + Send + Sync + 'static,
        {
            router.get_openapi().components.as_ref()
        }
        if let (Some(ours), Some(theirs)) = (components(&self), components(&resource)) {
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
