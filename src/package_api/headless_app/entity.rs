//! Tables of hosted sites and their builds.

/// Table `hosted_sites`.
pub mod hosted_site {
    use sea_orm::entity::prelude::*;

    /// A site whose storefront is hosted.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "hosted_sites")]
    pub struct Model {
        /// The site.
        #[sea_orm(primary_key, auto_increment = false)]
        pub site_id: i64,
        /// The application that is hosted.
        pub application_id: i64,
        /// Folder of its logs, below `hosting/`.
        pub log_folder: String,
        /// Milliseconds since the epoch.
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `builds`.
pub mod build {
    use sea_orm::entity::prelude::*;

    /// A build job of a branch.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "builds")]
    pub struct Model {
        /// Number of the build.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The hosted site.
        pub site_id: i64,
        /// Branch of the source.
        pub branch: String,
        /// The pipeline's id of the job; unique in the branch.
        pub job_id: String,
        /// One of [`super::super::pipeline::STATUSES`].
        pub status: String,
        /// The commit that is built.
        pub commit_id: Option<String>,
        /// When it was committed, in milliseconds since the epoch.
        pub commit_time: Option<i64>,
        /// Milliseconds since the epoch.
        pub started_at: i64,
        /// Milliseconds since the epoch.
        pub ended_at: Option<i64>,
        /// Milliseconds since the epoch.
        pub created_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `build_steps`.
pub mod build_step {
    use sea_orm::entity::prelude::*;

    /// A step of a build job.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "build_steps")]
    pub struct Model {
        /// The build.
        #[sea_orm(primary_key, auto_increment = false)]
        pub build_id: i64,
        /// Place of the step, from 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i64,
        /// Its name, once in a build.
        pub name: String,
        /// One of [`super::super::pipeline::STATUSES`].
        pub status: String,
        /// Key of its log in the folder of the site's logs.
        pub log_key: Option<String>,
        /// Milliseconds since the epoch.
        pub started_at: Option<i64>,
        /// Milliseconds since the epoch.
        pub ended_at: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
