//! The five commands of the README's section about customers, on another table.

use crate::command::{done, silent};
use crate::folder::folder_with;

/// Payments, of which one in seven is a fraud: a number and a time of each, amounts, countries, missing cells, a weight.
fn payments(first: u64, rows: u64) -> String {
    let mut table = "payment,time,amount,country,card_age,night,fraud\n".to_owned();
    for row in first..first + rows {
        let draw = |salt: u64, below: u64| (row * 2_654_435_761 + salt * 40_503) % 1_000_003 % below;
        let (amount, night) = (draw(1, 900), draw(2, 4) == 0);
        let country = ["AT", "BE", "CH", "DK"][draw(3, 4) as usize];
        let age = draw(5, 120);
        let risk = amount / 9 + u64::from(night) * 40 + u64::from(country == "CH") * 20 + draw(6, 30);
        let fraud = if risk > 125 { "fraud" } else { "fine" };
        let age = if draw(7, 20) == 0 {
            String::new()
        } else {
            age.to_string()
        };
        let amount = if draw(8, 30) == 0 {
            String::new()
        } else {
            format!("{amount}.5")
        };
        table += &format!(
            "P-{row},2026-{:02}-{:02} 12:00,{amount},{country},{age},{},{fraud}\n",
            1 + row % 12,
            1 + row % 28,
            if night { "True" } else { "False" }
        );
    }
    table
}

#[test]
fn five_commands_from_a_table_to_answers() {
    let at = &folder_with(&[
        ("payments.csv", &payments(0, 1200)),
        ("new.csv", &payments(5000, 300)),
    ]);
    let of_table = "payments.csv --target fraud --ignore payment,time --impute median --test 0.2 --quiet";
    let trained = silent(at, &format!("train {of_table} --epochs 30 --out first"));
    assert!(trained.contains("for `fine` always"), "{trained}");
    let tuned = silent(
        at,
        &format!("tune {of_table} --score auc --epochs 20 --lr 0.001,0.01 --out tuned"),
    );
    assert!(tuned.contains("best, tested auc 0.9"), "{tuned}");
    let evaluated = silent(
        at,
        "evaluate tuned new.csv --importance=auc --threshold fraud=0.3 --out report --quiet",
    );
    let features = evaluated
        .lines()
        .skip_while(|line| !line.starts_with("permutation importance"));
    assert!(
        features.clone().nth(1).unwrap().starts_with("amount"),
        "{evaluated}"
    );
    assert_eq!(features.count(), 5, "{evaluated}");
    assert!(at.join("report/importance.svg").is_file());
    let predicted = silent(at, "predict tuned new.csv --keep payment --threshold fraud=0.3");
    let mut lines = predicted.lines();
    assert_eq!(lines.next(), Some("payment,prediction"));
    assert!(lines.next().unwrap().starts_with("P-5000,"), "{predicted}");
    let frauds = predicted.lines().filter(|line| line.ends_with(",fraud")).count();
    assert!((20..100).contains(&frauds), "{frauds} of 300");
    done(at, "export tuned --onnx model.onnx");
    assert!(at.join("model.onnx").is_file());
}
