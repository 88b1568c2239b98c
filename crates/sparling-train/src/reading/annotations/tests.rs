use serde_json::Value;

use super::*;

fn motif(symbol: &str, left: f64, strength: f32) -> PredictedMotif {
    PredictedMotif {
        channel: 0,
        name: "A".to_owned(),
        symbol: Some(symbol.to_owned()),
        confidence: Some(0.9),
        row: 5,
        column: left as usize + 5,
        seconds: None,
        strength,
        support: None,
        point: Some([left + 5.0, 7.0]),
        bbox: Some([left, 2.0, 10.0, 10.0]),
        interval: None,
    }
}

fn annotations() -> Vec<Annotation> {
    let found = [("3", 20.0), ("1", 4.0)];
    let objects = Objects {
        bbox: found.map(|(_, left)| [left, 2.0, 10.0, 10.0]).to_vec(),
        categories: found.map(|(symbol, _)| symbol.to_owned()).to_vec(),
        strength: vec![1.5, 2.0],
        confidence: vec![Some(0.5), None],
        channel: vec!["A".to_owned(), "B".to_owned()],
        seconds: Vec::new(),
    };
    let annotation = |file: &str, text: &str, objects| Annotation {
        file_name: file.to_owned(),
        text: text.to_owned(),
        confidence: None,
        width: Some(40),
        height: Some(20),
        notes: Vec::new(),
        objects,
    };
    vec![
        annotation("a/7.png", "13", objects),
        annotation("8.png", "", Objects::default()),
    ]
}

fn written(format: Format) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let symbols = ["1", "3"].map(str::to_owned);
    let path = format
        .write(&annotations(), &symbols, folder.path())
        .unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    (folder, text)
}

#[test]
fn of_motifs_in_one_place_the_strongest_is_kept() {
    let none = PredictedMotif {
        symbol: None,
        ..motif("", 60.0, 9.0)
    };
    let motifs = [
        motif("3", 20.0, 1.0),
        motif("8", 23.0, 2.0),
        motif("1", 3.0, 0.1),
        none,
    ];
    let kept: Vec<&str> = distinct(&motifs)
        .into_iter()
        .map(PredictedMotif::stands_for)
        .collect();
    assert_eq!(kept, ["1", "8"]);
}

#[test]
fn coco_has_images_categories_and_boxes() {
    let (_folder, text) = written(Format::Coco);
    let coco: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(coco["images"][1]["file_name"], "8.png");
    assert_eq!(coco["images"][0]["width"], 40);
    assert_eq!(coco["categories"][1]["name"], "3");
    let boxes = coco["annotations"].as_array().unwrap();
    assert_eq!(boxes.len(), 2);
    assert_eq!(boxes[0]["image_id"], coco["images"][0]["id"]);
    assert_eq!(boxes[0]["category_id"], coco["categories"][1]["id"]);
    assert_eq!(boxes[0]["area"], 100.0);
}

#[test]
fn yolo_has_a_file_for_each_picture() {
    let (folder, yaml) = written(Format::Yolo);
    assert!(yaml.contains("  1: \"3\"\n"), "{yaml}");
    let lines = |name: &str| std::fs::read_to_string(folder.path().join("labels").join(name));
    let expected = "1 0.625000 0.350000 0.250000 0.500000\n0 0.225000 0.350000 0.250000 0.500000\n";
    assert_eq!(lines("a/7.txt").unwrap(), expected);
    assert_eq!(lines("8.txt").unwrap(), "");
}

#[test]
fn lines_are_read_back() {
    let (_folder, text) = written(Format::Jsonl);
    let read: Vec<Annotation> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read, annotations());
}

#[test]
fn tables_have_a_line_for_each_symbol() {
    let (_folder, text) = written(Format::Csv);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "a/7.png,13,,3,A,0.5,1.5,20,2,10,10,,,");
    assert_eq!(lines[3], "8.png,,,,,,,,,,,,,");
    assert_eq!(lines.len(), 4);
}

#[test]
fn boxes_are_for_pictures() {
    assert!(
        Format::Coco
            .check(true)
            .unwrap_err()
            .to_string()
            .contains("jsonl or csv")
    );
    Format::Yolo.check(false).unwrap();
    Format::Csv.check(true).unwrap();
}
