// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/consent/notice.h"

#include <array>

#include "gst/sphere/consent/chain.h"

namespace sphere::consent {

namespace {

struct Text {
  const char* begin;
  std::array<const char*, categories.size()> of;  // in the order of `categories`
  const char* end;
};

constexpr std::array<Text, 2> texts = {{
    {
        "What gst-sphere asks you for, and what happens with it\n"
        "\n"
        "Nothing below is used unless you give it. Refusing any of it leaves everything else\n"
        "working. Nothing is ever sent to the makers of this software. [*] marks what is\n"
        "sensitive: it says much about you or about people near the camera.\n"
        "\n",
        {
            "location [*]: where a picture is taken. `geotag` writes it into photos and videos,\n"
            "  `camera` sends it to the camera, which may write it into its files and keep the\n"
            "  last place, `share` lets it stay in what you pass on. You choose how exactly.\n",
            "audio [*]: sound from the camera's microphone, with the voices of all who are near.\n"
            "  `live` for watching and streaming, `record` for recordings on the camera, `edit`\n"
            "  for sound in files that are worked on, `share` for passing it on.\n",
            "storage [*]: `save` writes photos and videos of the camera onto this machine.\n",
            "device: model, serial number and firmware of the camera. `bind` keeps them so that\n"
            "  this machine knows the camera again, `share` lets them stay in what you pass on.\n",
            "network: the name of the camera's Wi-Fi. `bind` keeps it beside the camera's.\n",
            "environment: GPU, driver and system of this machine. `repair` writes them into a\n"
            "  report that you see in full; it is you who sends it, or not.\n",
            "statistics: counts and durations without identity. `improve` keeps them on this\n"
            "  machine.\n",
        },
        "\n"
        "For how long: until you take it back, or until the end you name with --expires.\n"
        "What is kept: each giving and taking back, with its time, on this machine alone, in a\n"
        "ledger that `sphere consent log` shows and `sphere consent erase` removes.\n"
        "Taking back: `sphere consent withdraw audio` (or any other), or\n"
        "`sphere consent withdraw --all`, at any time. It acts at once, also in what is running.\n"
        "It does not undo what was written or sent before.\n",
    },
    {
        "gst-sphere 需要征得您同意的内容及其用途\n"
        "\n"
        "以下各项未经您同意一律不使用。拒绝其中任何一项，不影响其他功能。\n"
        "任何内容都不会发送给本软件的开发者。标有 [*] 的为敏感个人信息，\n"
        "可能反映您本人或摄像机附近其他人的重要情况。\n"
        "\n",
        {
            "location [*] 位置：拍摄地点。geotag：写入照片和视频；camera：发送给相机，\n"
            "  相机可能将其写入文件并保留最后位置；share：在您分享的内容中保留。精度由您选择。\n",
            "audio [*] 声音：相机麦克风采集的声音，包括附近所有人的说话声。\n"
            "  live：观看和直播；record：相机录像；edit：编辑文件中的声音；share：分享给他人。\n",
            "storage [*] 存储：save：将相机中的照片和视频保存到本机。\n",
            "device 设备：相机的型号、序列号和固件版本。bind：保存以便本机再次识别该相机；\n"
            "  share：在您分享的内容中保留。\n",
            "network 网络：相机的 Wi-Fi 名称。bind：与相机信息一同保存。\n",
            "environment 运行环境：本机的显卡、驱动和系统。repair：写入一份您可以完整查看的\n"
            "  报告，是否发送由您决定。\n",
            "statistics 统计：不含身份的次数和时长。improve：仅保存在本机。\n",
        },
        "\n"
        "期限：直至您撤回，或至您用 --expires 指定的时间为止。\n"
        "保存内容：每次同意和撤回及其时间，仅保存在本机的记录中；\n"
        "sphere consent log 可查看，sphere consent erase 可删除。\n"
        "撤回：随时执行 sphere consent withdraw audio（或其他类别），\n"
        "或 sphere consent withdraw --all。撤回立即生效，对正在运行的程序同样有效。\n"
        "撤回不影响此前已写入或已发送的内容。\n",
    },
}};

}  // namespace

Language language_of(std::string_view tag) {
  return tag.starts_with("zh") || tag == "chinese" ? Language::chinese : Language::english;
}

bool is_language(std::string_view tag) {
  return language_of(tag) == Language::chinese || tag.starts_with("en");
}

std::string notice_text(Language language) {
  const Text& text = texts[static_cast<size_t>(language)];
  std::string whole = text.begin;
  for (const char* one : text.of) whole += one;
  return whole + text.end;
}

std::string notice_text(Language language, Category category) {
  return texts[static_cast<size_t>(language)].of[static_cast<size_t>(category)];
}

const std::string& notice_hash() {
  static const std::string hash =
      sha256(notice_text(Language::english) + notice_text(Language::chinese));
  return hash;
}

}  // namespace sphere::consent
