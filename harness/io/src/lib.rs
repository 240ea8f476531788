//! tokio's sockets and files, or turmoil's: a service that is to run in a simulation, too, takes them
//! from here.
//!
//! ```
//! use wrack_io::net::TcpListener;
//!
//! # #[cfg(not(feature = "turmoil"))]
//! async fn serve() -> std::io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     // …
//!     # drop(listener);
//!     Ok(())
//! }
//! ```
//! Without the feature `turmoil` these are the types of tokio, and nothing else is compiled. With it
//! they are those of turmoil: such a build runs in a simulation and nowhere else, so only the crate of
//! the tests switches it on (it depends on `wrack` with the feature `service`), and a build of the
//! service for production must not contain that crate.

/// Sockets.
pub mod net {
    #[cfg(not(feature = "turmoil"))]
    pub use tokio::net::{TcpListener, TcpStream, UdpSocket, lookup_host};
    #[cfg(feature = "turmoil")]
    pub use turmoil::net::{TcpListener, TcpStream, UdpSocket, lookup_host};
}

/// Files. In a simulation a crash takes back what was not synced: the content with
/// [`File::sync_all`](fs::File::sync_all), the name with [`sync_dir`](fs::sync_dir).
pub mod fs {
    #[cfg(not(feature = "turmoil"))]
    pub use tokio::fs::{
        File, OpenOptions, create_dir_all, metadata, read, remove_file, rename, try_exists, write,
    };
    #[cfg(feature = "turmoil")]
    pub use turmoil::fs::shim::tokio::fs::{
        File, OpenOptions, create_dir_all, metadata, read, remove_file, rename, sync_dir,
        try_exists, write,
    };

    /// Makes the names in a folder durable: of files that were created, renamed or removed.
    #[cfg(not(feature = "turmoil"))]
    pub async fn sync_dir(path: impl AsRef<std::path::Path>) -> std::io::Result<()> {
        File::open(path).await?.sync_all().await
    }
}
