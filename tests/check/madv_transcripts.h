// SPDX-License-Identifier: LGPL-2.1-or-later
// What went over the wire between clients and real cameras of this family, as published: the sister
// camera SJ8 Pro (A12) decoded from packet captures, and single messages of the Mi Sphere's own
// vendor table and clients.

#pragma once

#include <array>
#include <string>
#include <vector>

namespace sphere::test {

struct Line {
  double at;  // seconds
  bool from_camera;
  const char* json;
};

/// A session with the SJ8 Pro.
inline constexpr std::array sister_session = {
    Line{0.000, false, R"({"msg_id":257,"token":0})"},
    Line{0.812, true, R"({"rval":0,"msg_id":257,"param":2})"},
    Line{0.853, false, R"({"msg_id":11,"token":2})"},
    Line{
        0.870, true,
        R"({"rval":0,"msg_id":11,"brand":"SJCAM","model":"SJ8PRO_TAIWAN","chip":"A12","app_type":"Connected","fw_ver":"local","api_ver":"4.1.0","media_folder":"/tmp/SD0/DCIM","event_folder":"/tmp/SD0/EVENT","http":"Disable","auth":"off","naming_rule":[{"type":"video","main_section":[0,6],"sensor_section":[6,1],"stream_section":[7,1]},{"type":"photo","main_section":[0,6],"offset_section":[6,2]}],"firmwareVersion":"V1.3.2"})"},
    Line{0.904, false, R"({"msg_id":1,"type":"camera_mode","token":2})"},
    Line{0.918, true, R"({"rval":0,"msg_id":1,"type":"camera_mode","param":"normal_record"})"},
    Line{1.055, false, R"({"msg_id":515,"token":2})"},
    Line{1.070, true, R"({"rval":-14,"msg_id":515})"},
    Line{1.155, false,
         R"({"param":"2022-04-25 10:29:59","msg_id":2,"type":"camera_clock","token":2})"},
    Line{1.170, true, R"({"rval":0,"msg_id":2,"type":"camera_clock"})"},
    Line{1.407, false, R"({"msg_id":13,"token":2})"},
    Line{1.426, true, R"({"rval":0,"msg_id":13,"type":"battery","param":75})"},
    Line{3.837, false, R"({"msg_id":513,"token":2})"},
    Line{3.855, true, R"({"rval":0,"msg_id":513})"},
    Line{5.305, true, R"({"msg_id":7,"type":"start_normal_record"})"},
    Line{5.344, false, R"({"msg_id":515,"token":2})"},
    Line{5.400, true, R"({"rval":0,"msg_id":515,"param":0})"},
    Line{14.335, false, R"({"msg_id":514,"token":2})"},
    Line{14.350, true, R"({"rval":0,"msg_id":514})"},
    Line{15.558, true, R"({"msg_id":7,"type":"stop_normal_record"})"},
};

/// Messages of the Mi Sphere's vendor table and client, in either direction, and of its relatives.
inline constexpr std::array single_messages = {
    R"({"param":"3","msg_id":5169,"btwifi":2,"token":1})",
    R"({"rval":0,"msg_id":4358,"remain_video":4073,"remain_jpg":3055,"sd_total":15343616,"sd_free":15328288,"sd_full":0,"sd_mid":65,"sd_oid":13362,"sd_pnm":"SD16G"})",
    R"({"token":1,"msg_id":4917,"lat":"39.990308","lon":"116.333437","alt":"58.48","btwifi":"2"})",
    R"({"token":1,"msg_id":1286,"param":"tmp/SD0/update/MadvSysFW.bin","offset":0,"size":2287780,"md5sum":"d1aca017111b42b3b94c79250b0c7a7e","ftype":1})",
    R"({"rval":0,"msg_id":1026,"size":37748736,"date":"2017-01-01 20:46:24","resolution":"2304x1152","duration":6,"media_type":"mov"})",
    R"({"rval":0,"msg_id":1025,"size":296690,"type":"idr","md5sum":"392436603f8e1a71e355616c0ab996ea"})",
    R"({"rval":0,"msg_id":1282,"listing":[{"test.ash":"2018-01-19 04:18:35"}]})",
    R"({"msg_id":7,"type":"record_complete","param":"C:\\DCIM\\100MEDIA\\VID_20180117_045015_0004.MP4"})",
    R"({ "rval": 0, "msg_id": 257, "param": 1 })",
    R"({"msg_id":7,"rval":0,"type":"get_file_complete","param":[{"bytes sent":1024},{"md5sum":"d41d8cd98f00b204e9800998ecf8427e"}]})",
    R"({"rval":0,"msg_id":1539,"param":"AP_SSID=MJXJ-{\"00\"}\nAP_PASSWD=12345678\nAP_PUBLIC=no"})",
};

inline std::vector<std::string> all_messages() {
  std::vector<std::string> all;
  for (const Line& line : sister_session) all.emplace_back(line.json);
  for (const char* message : single_messages) all.emplace_back(message);
  return all;
}

}  // namespace sphere::test
