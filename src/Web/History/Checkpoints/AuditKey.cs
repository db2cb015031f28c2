using System.Security.Cryptography;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.History.Checkpoints;

/// <summary>The hub's key for checkpoints of the audit: ECDSA P-256, in a file of its own (0600), made on the first start.</summary>
internal sealed class AuditKey : IDisposable
{
    /// <summary>Its file in the data folder: PKCS #8, PEM.</summary>
    public const string FileName = "audit-key.pem";

    private readonly Lock _gate = new();
    private readonly ECDsa _key;

    private AuditKey(ECDsa key)
    {
        _key = key;
        byte[] publicKey = key.ExportSubjectPublicKeyInfo();
        PublicKey = Convert.ToBase64String(publicKey);
        Id = CheckpointSignature.KeyIdOf(publicKey);
    }

    /// <inheritdoc cref="CheckpointSignature.KeyIdOf"/>
    public string Id { get; }

    /// <summary>SubjectPublicKeyInfo, DER, base64.</summary>
    public string PublicKey { get; }

    /// <summary>The public half for others to check with: PEM.</summary>
    public string PublicPem => _key.ExportSubjectPublicKeyInfoPem();

    /// <exception cref="DataFolderException">The file is damaged, or cannot be read or written.</exception>
    public static AuditKey LoadOrCreate(string dataFolder)
    {
        string file = Path.Combine(dataFolder, FileName);
        try
        {
            if (!OwnFile.Exists(dataFolder, FileName))
            {
                Create(dataFolder);
            }

            return Read(dataFolder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataFolderException($"The key that signs the audit, '{file}', cannot be read or made ({e.Message}). Give the hub's user access to it.", e);
        }
    }

    /// <summary>DER, base64.</summary>
    public string Sign(byte[] data)
    {
        lock (_gate)
        {
            return Convert.ToBase64String(_key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }
    }

    public void Dispose() => _key.Dispose();

    /// <summary>The id of a public key that an operator kept.</summary>
    /// <param name="pem">What is in its file.</param>
    /// <returns>Null: it is no P-256 public key.</returns>
    public static string? IdOfPublicPem(string pem)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportFromPem(pem);
            return CheckpointSignature.IsP256(key) ? CheckpointSignature.KeyIdOf(key.ExportSubjectPublicKeyInfo()) : null;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            return null;
        }
    }

    private static AuditKey Read(string folder)
    {
        string file = Path.Combine(folder, FileName);
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(OwnFile.ReadPrivateText(folder, FileName));
            _ = key.ExportPkcs8PrivateKey();
            if (!CheckpointSignature.IsP256(key))
            {
                throw new CryptographicException("it is no P-256 key");
            }

            return new AuditKey(key);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new DataFolderException(
                $"The key that signs the audit, '{file}', is damaged ({e.Message}). Put it back from a backup. If there is none, move the file away: the hub then "
                + "makes another key and says so in its history; what was signed before can still be checked with the old public key.",
                e);
        }
    }

    // Written beside it and then moved into place: a start that is cut short leaves no half a key.
    private static void Create(string folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string beside = $"{FileName}.{Path.GetRandomFileName()}.new";
        using (FileStream stream = OwnFile.CreateNew(folder, beside))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
            stream.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(Path.Combine(folder, beside), Path.Combine(folder, FileName), overwrite: false);
        }
        catch (IOException) when (OwnFile.Exists(folder, FileName))
        {
            // A command made one at the same moment.
            File.Delete(Path.Combine(folder, beside));
        }
    }
}
