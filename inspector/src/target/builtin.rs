//! The profiles that come with the program.

use super::profile::Target;

/// Name and text of each profile, by name.
pub const BUILTIN: &[(&str, &str)] = &[
    ("alif-e3", include_str!("../../../targets/alif-e3.toml")),
    ("alif-e7", include_str!("../../../targets/alif-e7.toml")),
    ("alif-e8", include_str!("../../../targets/alif-e8.toml")),
    ("apollo4p-evb", include_str!("../../../targets/apollo4p-evb.toml")),
    ("arduino-nicla-vision", include_str!("../../../targets/arduino-nicla-vision.toml")),
    ("arduino-portenta-h7", include_str!("../../../targets/arduino-portenta-h7.toml")),
    ("corstone-300", include_str!("../../../targets/corstone-300.toml")),
    ("corstone-310", include_str!("../../../targets/corstone-310.toml")),
    ("corstone-320", include_str!("../../../targets/corstone-320.toml")),
    ("ek-ra8p1", include_str!("../../../targets/ek-ra8p1.toml")),
    ("esp32-p4", include_str!("../../../targets/esp32-p4.toml")),
    ("esp32-s3-devkitc", include_str!("../../../targets/esp32-s3-devkitc.toml")),
    ("frdm-mcxn947", include_str!("../../../targets/frdm-mcxn947.toml")),
    ("mimxrt700-evk", include_str!("../../../targets/mimxrt700-evk.toml")),
    ("nrf52840-dk", include_str!("../../../targets/nrf52840-dk.toml")),
    ("nrf5340-dk", include_str!("../../../targets/nrf5340-dk.toml")),
    ("nrf54l15-dk", include_str!("../../../targets/nrf54l15-dk.toml")),
    ("nucleo-h743zi", include_str!("../../../targets/nucleo-h743zi.toml")),
    ("psoc-edge-e84", include_str!("../../../targets/psoc-edge-e84.toml")),
    ("ra8d1-vision-board", include_str!("../../../targets/ra8d1-vision-board.toml")),
    ("rpi-pico", include_str!("../../../targets/rpi-pico.toml")),
    ("rpi-pico2", include_str!("../../../targets/rpi-pico2.toml")),
    ("silabs-mg24", include_str!("../../../targets/silabs-mg24.toml")),
    ("stm32f746g-disco", include_str!("../../../targets/stm32f746g-disco.toml")),
    ("stm32n6570-dk", include_str!("../../../targets/stm32n6570-dk.toml")),
];

/// A profile to start from.
pub const TEMPLATE: &str = include_str!("../../../targets/template.toml");

/// The profile of this name.
pub fn find(name: &str) -> Option<Target> {
    let (_, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
    Target::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_valid_and_has_the_name_of_its_file() {
        for (name, text) in BUILTIN {
            let target = Target::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(target.name, *name);
        }
        assert!(BUILTIN.len() >= 20 && BUILTIN.is_sorted());
        Target::parse(TEMPLATE).expect("the template is a profile");
    }

    #[test]
    fn every_file_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../targets");
        let count = std::fs::read_dir(folder).expect("targets/").count();
        assert_eq!(count, BUILTIN.len() + 1, "all files but the template");
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let wrong = |from: &str, to: &str| {
            assert!(TEMPLATE.contains(from), "{from}");
            Target::parse(&TEMPLATE.replace(from, to)).expect_err(to).to_string()
        };
        assert_eq!(
            wrong("memory = \"FLASH\"", "memory = \"FLUSH\""),
            "pools.program.memory: expected one of SRAM, FLASH, found \"FLUSH\""
        );
        assert!(wrong("\"256K\"", "\"256X\"").contains("is no size"));
        assert!(wrong("\"256K\"", "0").contains("a size above 0"));
        assert!(
            wrong("bandwidth_mb_s = 480", "bandwidth_at_most_mb_s = 480")
                .starts_with("memory \"SRAM\": bandwidth_at_most_mb_s: expected no clock_mhz")
        );
        assert!(wrong("abi = \"arm32\"", "abi = \"arm64\"").contains("aarch64"));
        assert!(wrong("core =", "cure =").starts_with("line 5: "));
        assert!(wrong("size = \"64K\"", "size = \"1M\"").contains("at most the 262144 bytes"));
    }
}
