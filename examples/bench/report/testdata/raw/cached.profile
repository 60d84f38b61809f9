Showing nodes accounting for 80ms, 80% of 100ms total
      flat  flat%   sum%        cum   cum%
      50ms 50.00% 50.00%       50ms 50.00%  crypto/sha256.block
      30ms 30.00% 80.00%       30ms 30.00%  runtime.mallocgc
