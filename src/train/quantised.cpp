#include "train/quantised.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <ATen/ops/bucketize.h>
#include <ATen/ops/constant_pad_nd.h>
#pragma GCC diagnostic pop

#include <algorithm>

#include "train/device.h"

namespace areason::train {
namespace {

at::Tensor on(at::Device device, std::vector<float>& values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return to_device(at::from_blob(values.data(), {size}, at::TensorOptions().dtype(at::kFloat)).clone(), device);
}

}  // namespace

std::vector<float> dynamic_values(StateSign sign) {
  // Without a sign bit the fraction has one bit more.
  const int bits = sign == StateSign::kEither ? 6 : 7;
  std::vector<float> out = {0.0f, 1.0f};
  double power = 1;
  for (int k = 0; k < 7; ++k, power /= 10) {
    const int steps = 1 << (bits - k);
    for (int i = 0; i < steps; ++i) {
      const double fraction = 0.1 + 0.9 * (i + 0.5) / steps;  // the middle of its part of [0.1, 1]
      out.push_back(static_cast<float>(fraction * power));
      if (sign == StateSign::kEither) out.push_back(static_cast<float>(-fraction * power));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

QuantisedState::QuantisedState(at::IntArrayRef sizes, StateSign sign, at::Device device) : sizes_(sizes.vec()), sign_(sign) {
  std::vector<float> values = dynamic_values(sign), bounds;
  for (std::size_t i = 1; i < values.size(); ++i) bounds.push_back((values[i - 1] + values[i]) / 2);
  values_ = on(device, values);
  bounds_ = on(device, bounds);
  std::int64_t count = 1;
  for (const std::int64_t n : sizes) count *= n;
  const std::int64_t blocks = (count + kQuantisedBlock - 1) / kQuantisedBlock;
  const auto zero = std::find(values.begin(), values.end(), 0.0f) - values.begin();
  codes_ = at::empty({blocks, kQuantisedBlock}, values_.options().dtype(at::kByte)).fill_(static_cast<std::int64_t>(zero));
  scales_ = at::zeros({blocks, 1}, values_.options());
}

at::Tensor QuantisedState::read() const {
  const at::Tensor all = values_.index_select(0, codes_.view({-1}).to(at::kInt)).view(codes_.sizes()).mul_(scales_);
  std::int64_t count = 1;
  for (const std::int64_t n : sizes_) count *= n;
  return all.view({-1}).narrow(0, 0, count).view(sizes_);
}

void QuantisedState::write(const at::Tensor& values) {
  at::Tensor all = values.reshape({-1});
  all = at::constant_pad_nd(all, {0, codes_.numel() - all.numel()}).view(codes_.sizes());
  const at::Tensor greatest = all.abs().argmax(1, true);
  scales_ = all.gather(1, greatest);
  // A block of zeros has no scale; whatever its codes are, they are multiplied by 0.
  const at::Tensor share = all / scales_.masked_fill(scales_ == 0, 1.0);
  at::Tensor codes = at::bucketize(share, bounds_, /*out_int32=*/true);
  if (sign_ == StateSign::kNeverNegative) codes = codes.maximum((share > 0).to(codes.scalar_type()));
  codes_ = codes.to(at::kByte);
}

}  // namespace areason::train
