using System.Security.Cryptography;
using OtpNet;
using QRCoder;

namespace FailoverHub.Web.Access.SecondFactor;

/// <summary>Codes of an authenticator app (RFC 6238: SHA-1, six digits, 30 s). Pure but for the randomness of a new secret.</summary>
internal static class TimeCodes
{
    private const string Issuer = "FailoverHub";
    private const int SecretBytes = 20;

    /// <summary>160 random bits as base 32, as apps take it when it is typed.</summary>
    public static string NewSecret() => Base32Encoding.ToString(RandomNumberGenerator.GetBytes(SecretBytes)).TrimEnd('=');

    /// <summary>What the QR code says: key URI of Google Authenticator, which every app reads.</summary>
    public static string UriOf(string name, string secret) =>
        $"otpauth://totp/{Issuer}:{Uri.EscapeDataString(name)}?secret={secret}&issuer={Issuer}&digits=6&period=30";

    /// <summary>The URI as an SVG element, black on white in either theme: cameras want it so.</summary>
    public static string QrSvg(string uri) => SvgQRCodeHelper.GetQRCode(
        uri, 4, "#000000", "#ffffff", QRCodeGenerator.ECCLevel.M, sizingMode: SvgQRCode.SizingMode.ViewBoxAttribute);

    /// <summary>
    /// The 30-second step that a code belongs to, null: it is wrong, or as old as one that was used. One step of drift either way is allowed
    /// (RFC 6238 section 5.2), and no step is good twice.
    /// </summary>
    public static long? StepOf(string secret, string code, DateTimeOffset now, long lastStep)
    {
        string digits = string.Concat(code.Where(c => !char.IsWhiteSpace(c)));
        var totp = new Totp(Base32Encoding.ToBytes(secret));
        return digits.Length == 6 && totp.VerifyTotp(now.UtcDateTime, digits, out long step, new VerificationWindow(previous: 1, future: 1)) && step > lastStep ? step : null;
    }

    /// <summary>The code of a moment.</summary>
    public static string CodeAt(string secret, DateTimeOffset at) => new Totp(Base32Encoding.ToBytes(secret)).ComputeTotp(at.UtcDateTime);
}
