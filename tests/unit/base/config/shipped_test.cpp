// SPDX-License-Identifier: Apache-2.0
#include "base/config/shipped.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/config/located_yaml.hpp"

namespace loom::config {
namespace {
namespace fs = std::filesystem;

/// A folder of shipped files and a folder of a user, for one test.
class ShippedFiles : public ::testing::Test {
  protected:
    void SetUp() override {
        root_ = fs::path(::testing::TempDir()) / ("shipped " + std::to_string(::getpid()));
        write(root_ / "share/configs/chips/a.yaml", "name: shipped\n");
        write(root_ / "user/own.yaml", "base: configs/chips/a.yaml\nsize: 2\n");
        setenv("SPIKELOOM_SHARE", (root_ / "share").c_str(), 1);
    }
    void TearDown() override {
        unsetenv("SPIKELOOM_SHARE");
        fs::remove_all(root_);
    }
    static void write(const fs::path& path, const std::string& text) {
        fs::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    std::string user() const { return (root_ / "user").string(); }

    fs::path root_;
};

TEST_F(ShippedFiles, AreFoundByANameThatIsNowhereElse) {
    EXPECT_EQ(path_from(user(), "configs/chips/a.yaml"), (root_ / "share/configs/chips/a.yaml").string());
    EXPECT_EQ(load_tree((root_ / "user/own.yaml").string()).find("name")->scalar, "shipped");
}

TEST_F(ShippedFiles, StandBehindTheUsersOwn) {
    write(root_ / "user/configs/chips/a.yaml", "name: own\n");
    EXPECT_EQ(path_from(user(), "configs/chips/a.yaml"), user() + "/configs/chips/a.yaml");
    EXPECT_EQ(load_tree((root_ / "user/own.yaml").string()).find("name")->scalar, "own");
}

TEST_F(ShippedFiles, HaveNamesThatBeginWithConfigs) {
    EXPECT_EQ(path_from(user(), "chips/a.yaml"), user() + "/chips/a.yaml");
    EXPECT_EQ(path_from(user(), "../configs/chips/a.yaml"), (root_ / "configs/chips/a.yaml").string());
}

TEST_F(ShippedFiles, ThatAreNotThereKeepTheUsersName) {
    EXPECT_EQ(path_from(user(), "configs/chips/b.yaml"), user() + "/configs/chips/b.yaml");
    EXPECT_EQ(path_from(user(), "/configs/chips/a.yaml"), "/configs/chips/a.yaml");
}

TEST_F(ShippedFiles, AreNotSoughtInAFolderWithoutConfigs) {
    setenv("SPIKELOOM_SHARE", user().c_str(), 1);
    EXPECT_NE(shipped_folder(), user());
}

}  // namespace
}  // namespace loom::config
