using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace FailoverHub.Web.Access.SecondFactor;

/// <summary>Secrets that have to be read again: kept encrypted with the hub's keys, so that the database alone does not give them away.</summary>
internal sealed class SecretBox(IDataProtectionProvider keys)
{
    private readonly IDataProtector _protector = keys.CreateProtector("FailoverHub.Authenticator.v1");

    public string Close(string secret) => _protector.Protect(secret);

    /// <summary>Null: the keys it was closed with are gone.</summary>
    public string? Open(string closed)
    {
        try
        {
            return _protector.Unprotect(closed);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
