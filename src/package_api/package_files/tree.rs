//! The files of a package as a tree of folders (contract 3.7).
use std::collections::BTreeMap;

use super::dto::{FileMetadata, FolderMetadata};

/// A folder under construction. Names that differ only by case are the same, as in paths.
#[derive(Default)]
struct Folder {
    /// As its first file spells it; empty at the root.
    name: String,
    files: Vec<FileMetadata>,
    folders: BTreeMap<String, Folder>,
}

/// Puts files into the folders that their paths name, everything in the byte order of the names. Folders
/// are spelt as in the first of the files in them.
pub fn build(files: Vec<FileMetadata>) -> FolderMetadata {
    let mut root = Folder::default();
    for file in files {
        let mut folder = &mut root;
        let (folders, _) = split(&file.path);
        for name in folders.split('/').filter(|name| !name.is_empty()) {
            folder = folder.folders.entry(name.to_lowercase()).or_default();
            if folder.name.is_empty() {
                name.clone_into(&mut folder.name);
            }
        }
        folder.files.push(file);
    }
    root.finish("")
}

impl Folder {
    /// `above`: path of the folder that it lies in.
    fn finish(self, above: &str) -> FolderMetadata {
        let Self { name, mut files, folders } = self;
        let full_path = if above.is_empty() { name.clone() } else { format!("{above}/{name}") };
        files.sort_by(|one, other| split(&one.path).1.cmp(split(&other.path).1));
        let mut sub_folders: Vec<_> =
            folders.into_values().map(|folder| folder.finish(&full_path)).collect();
        sub_folders.sort_by(|one, other| one.name.cmp(&other.name));
        FolderMetadata { name, full_path, files, sub_folders }
    }
}

/// The folders of a path, and its last name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::dto::FileAuditInfo;
    use super::*;
    use crate::package_api::convention::time::Time;

    fn file(path: &str) -> FileMetadata {
        FileMetadata {
            id: "f1".to_owned(),
            media_type: "application/json".to_owned(),
            path: path.to_owned(),
            check_sum: "b1946ac92492d2347c6235b4d2611184".to_owned(),
            size_in_bytes: 6,
            audit_info: FileAuditInfo {
                update_date: Time(0),
                create_date: Time(0),
                update_by: "dev-7".to_owned(),
                create_by: "dev-7".to_owned(),
            },
        }
    }

    /// A tree with files as their paths.
    fn short(folder: &FolderMetadata) -> Value {
        let files: Vec<_> = folder.files.iter().map(|file| file.path.as_str()).collect();
        let folders: Vec<_> = folder.sub_folders.iter().map(short).collect();
        json!([folder.name, folder.full_path, files, folders])
    }

    #[test]
    fn files_lie_in_folders_in_byte_order() {
        let paths =
            ["b.js", "a/z.js", "a/b/c.js", "Z.js", "a.js", "a-b/x.js", "a/Y.js", "ä/1", "c/1"];
        let tree = build(paths.iter().map(|path| file(path)).collect());
        assert_eq!(
            short(&tree),
            json!([
                "",
                "",
                ["Z.js", "a.js", "b.js"],
                [
                    ["a", "a", ["a/Y.js", "a/z.js"], [["b", "a/b", ["a/b/c.js"], []]]],
                    ["a-b", "a-b", ["a-b/x.js"], []],
                    ["c", "c", ["c/1"], []],
                    ["ä", "ä", ["ä/1"], []],
                ]
            ])
        );
    }

    #[test]
    fn a_folder_is_the_same_in_any_case() {
        let tree = build(["Assets/B", "assets/a", "ASSETS/Src/x", "assets/src/y"].map(file).into());
        assert_eq!(
            short(&tree),
            json!([
                "",
                "",
                [],
                [[
                    "Assets",
                    "Assets",
                    ["Assets/B", "assets/a"],
                    [["Src", "Assets/Src", ["ASSETS/Src/x", "assets/src/y"], []]]
                ]]
            ])
        );
    }

    #[test]
    fn both_lists_are_there_at_every_level() {
        let root = json!({"name": "", "fullPath": "", "files": [], "subFolders": []});
        assert_eq!(serde_json::to_value(build(Vec::new())).unwrap(), root);
        assert_eq!(
            serde_json::to_value(build(vec![file("assets/functions.json")])).unwrap(),
            json!({"name": "", "fullPath": "", "files": [], "subFolders": [{
                "name": "assets", "fullPath": "assets", "subFolders": [], "files": [{
                    "id": "f1", "type": "application/json", "path": "assets/functions.json",
                    "checkSum": "b1946ac92492d2347c6235b4d2611184", "sizeInBytes": 6,
                    "auditInfo": {
                        "updateDate": "1970-01-01T00:00:00.000Z",
                        "createDate": "1970-01-01T00:00:00.000Z",
                        "updateBy": "dev-7", "createBy": "dev-7",
                    },
                }],
            }]})
        );
    }

    /// The longest path has 512 names. Building, showing, selecting from and dropping its tree must stay
    /// within what a thread of the server has of stack.
    #[test]
    fn the_deepest_tree_takes_little_stack() {
        let path = vec!["a"; 512].join("/");
        let done = std::thread::Builder::new().stack_size(1024 * 1024).spawn(move || {
            let tree = build(vec![file(&path)]);
            let value = serde_json::to_value(&tree).unwrap();
            let text = serde_json::to_string(&value).unwrap();
            assert_eq!(text, serde_json::to_string(&tree).unwrap());
            text.matches("\"subFolders\":").count()
        });
        assert_eq!(done.unwrap().join().unwrap(), 512);
    }
}
