using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;

namespace FailoverHub.Web.Access;

/// <summary>How often one address may ask. They bound what somebody without rights can make the hub look up and write down.</summary>
internal static class AccessLimits
{
    public const string SignIn = "sign-in";
    public const string Api = "api";

    /// <summary>Attempts to sign in, per address and minute. Each failed one is an audit entry.</summary>
    public const int SignInsPerMinute = 30;

    private const int ApiBurst = 200;
    private const int ApiPerSecond = 100;

    public static void Configure(RateLimiterOptions options)
    {
        options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        options.AddPolicy(SignIn, context => RateLimitPartition.GetFixedWindowLimiter(Caller(context), _ => new FixedWindowRateLimiterOptions
        {
            PermitLimit = SignInsPerMinute,
            Window = TimeSpan.FromMinutes(1),
            QueueLimit = 0,
        }));
        options.AddPolicy(Api, context => RateLimitPartition.GetTokenBucketLimiter(Caller(context), _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = ApiBurst,
            TokensPerPeriod = ApiPerSecond,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            QueueLimit = 0,
        }));
        options.OnRejected = async (rejected, _) =>
        {
            TimeSpan wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan known) ? known : TimeSpan.FromSeconds(1);
            string seconds = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString("0", CultureInfo.InvariantCulture);
            rejected.HttpContext.Response.Headers.RetryAfter = seconds;
            await TypedResults.Problem(
                $"Too many requests from this address. Try again in {seconds} s.",
                statusCode: StatusCodes.Status429TooManyRequests,
                title: "Too many requests").ExecuteAsync(rejected.HttpContext);
        };
    }

    private static string Caller(HttpContext context) => CallerOf(context.Connection.RemoteIpAddress);

    /// <summary>Pure. An IPv6 caller counts by its /64: one host has all of those addresses to itself (RFC 4291 section 2.5.1).</summary>
    internal static string CallerOf(IPAddress? address) => address switch
    {
        null => "unknown",
        { AddressFamily: AddressFamily.InterNetwork } => address.ToString(),
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        _ => Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, 8)),
    };
}
