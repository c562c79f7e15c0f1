#include <stdio.h>
#include <jpeglib.h>
int main(int n, char **a) {
  struct jpeg_decompress_struct in; struct jpeg_compress_struct out; struct jpeg_error_mgr e1, e2;
  in.err = jpeg_std_error(&e1); out.err = jpeg_std_error(&e2);
  jpeg_create_decompress(&in); jpeg_create_compress(&out);
  jpeg_stdio_src(&in, stdin); jpeg_stdio_dest(&out, stdout);
  jpeg_read_header(&in, TRUE);
  jvirt_barray_ptr *c = jpeg_read_coefficients(&in);
  jpeg_copy_critical_parameters(&in, &out);
  out.arith_code = TRUE;
  for (int t = 0; t < 2; t++) { out.arith_dc_L[t] = 2; out.arith_dc_U[t] = 4 + t; out.arith_ac_K[t] = 20 - 12 * t; }
  jpeg_write_coefficients(&out, c); jpeg_finish_compress(&out); jpeg_finish_decompress(&in);
  return 0;
}
